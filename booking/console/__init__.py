"""The institution's side of the counter: its day, its instruments, and how they come in."""
