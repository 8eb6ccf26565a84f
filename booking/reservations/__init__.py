"""Time-sharing rental: quote, reserve, move, cancel; closures that meet reservations."""
