"""The ledger of savings: one line per settled service, only ever added to, each with evidence."""
