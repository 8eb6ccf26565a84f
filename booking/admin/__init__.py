"""The operator's side: verifying organisations, accounts, code lists, jobs, mails, the journal."""
