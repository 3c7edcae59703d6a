"""What an action can ask for: each command is a small function on top of a real service."""
