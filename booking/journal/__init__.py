"""Append-only record of who changed what, sealed day by day."""
