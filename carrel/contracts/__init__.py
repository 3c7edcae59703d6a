"""The messages that cross between edge and server: the only thing the two programs share."""
