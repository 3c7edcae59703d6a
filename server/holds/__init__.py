"""Holds: who waits for what, in which order, and what is set aside for whom."""
