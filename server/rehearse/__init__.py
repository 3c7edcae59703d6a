"""`carrel rehearse`: try a lending policy on a scratch library with a settable clock and the real services."""
