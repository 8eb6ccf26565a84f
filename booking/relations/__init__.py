"""Who is related to whom by ownership or control, as declared: between them nothing is saved."""
