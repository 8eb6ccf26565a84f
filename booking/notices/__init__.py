"""Telling people: an outbox in the business transaction, mails, and an inbox on the pages."""
