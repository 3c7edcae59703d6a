"""Notices to patrons: what is due soon or overdue, what waits on the hold shelf, what is owed."""
