"""The building as it is now, to every page: joins the edge with the domains and the browsers (docs/live.md)."""
