"""What crosses to the server, durable where the server must get it."""
