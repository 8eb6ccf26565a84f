"""Instrument sharing: booking, time-sharing rental, and what it saved."""
