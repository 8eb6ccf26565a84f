"""Knows no feature: values, database, HTTP and other ground everything stands on."""
