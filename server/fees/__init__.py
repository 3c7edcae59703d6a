"""What patrons owe: an append-only ledger, and the rules of charging and paying."""
