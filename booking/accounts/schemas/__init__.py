"""What comes in and goes out over the API and the pages of accounts."""
