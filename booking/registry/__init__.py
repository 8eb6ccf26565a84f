"""Instruments in the shape of the national registry: what exists, where, and how to find it."""
