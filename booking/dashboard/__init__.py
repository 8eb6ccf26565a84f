"""What a firm sees first: the next visits, what waits for it, and what it saved."""
