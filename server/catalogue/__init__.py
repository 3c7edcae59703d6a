"""Bibliographic records, their items, and the search over them."""
