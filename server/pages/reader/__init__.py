"""Readers' pages: search, my loans, sign-in."""
