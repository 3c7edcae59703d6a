"""The page of the circulation reports, for staff."""
