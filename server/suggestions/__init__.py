"""What readers would have the library buy: suggestions, votes for them, and what became of them."""
