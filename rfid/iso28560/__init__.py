"""The ISO 28560 item data models on tag memory: decode, encode and recognise (pure)."""
