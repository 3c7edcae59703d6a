"""The virtual building: rooms with physics and the devices in them, on real ptys and sockets. Standard library only."""
