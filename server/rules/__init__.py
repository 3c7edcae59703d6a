"""Rules: live state, trying them out, reading them for mistakes."""
