"""The library's application server: it owns the database and the people."""
