"""Readers and the library: feedback, purchase suggestions and news, as both sides see them."""
