"""Stored files: by their hash, outside what the web serves, and only of known kinds."""
