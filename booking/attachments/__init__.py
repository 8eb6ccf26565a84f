"""Photos and documents of instruments."""
