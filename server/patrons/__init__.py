"""Patrons: who may borrow, and as much of them as may be shown."""
