"""What the server does by itself: when, and in which of several processes."""
