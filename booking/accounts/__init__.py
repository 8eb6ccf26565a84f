"""Organisations, people, their roles, log-ins and tokens; who may do what."""
