"""Circulation reports: what was lent, what is late, what stands still, what is waited for, what was paid."""
