"""The rooms' pages: all rooms, and one with its history, its decisions and manual control."""
