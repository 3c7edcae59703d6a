"""The self-service kiosk: a pure session, its talk with the server, and its page on 127.0.0.1."""
