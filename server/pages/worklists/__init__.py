"""The work lists: what only people can do, and taking it off its list."""
