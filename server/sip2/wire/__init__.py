"""The wire of SIP2: frames, checksums, messages as data. Knows no socket and no library."""
