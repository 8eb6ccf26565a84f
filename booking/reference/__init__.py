"""National code lists and the working calendar: regions, categories, industries, days."""
