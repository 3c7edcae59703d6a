"""The catalogue's search: one meaning on SQLite and PostgreSQL. docs/search.md tells it to people."""
