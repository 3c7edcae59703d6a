"""The demo library: data written for it, and what a newcomer is told about it."""
