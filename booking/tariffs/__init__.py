"""Published prices per customer class, what a slot costs and what the list would have cost."""
