"""Letters: whom one is for, and its words."""
