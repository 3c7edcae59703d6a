"""The server's part of `carrel doctor`."""
