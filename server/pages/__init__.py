"""HTML for librarians (dashboard) and for readers' phones (reader)."""
