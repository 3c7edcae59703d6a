"""The staff's page of notices: what waits, was sent or failed, and what can be done about it."""
