"""What was lent, counted: for reports, which never learn who borrowed."""
