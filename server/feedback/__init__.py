"""What readers tell the library: cases with a number, an owner, a deadline and an answer."""
