"""The waiting list: a place in the queue for time that is taken, and offers when it frees."""
