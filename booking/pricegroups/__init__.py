"""Finer customer classes of an institution: who belongs to them, and what they pay less."""
