"""Drivers: field wires on one side, contracts and events on the other. They know no gateway."""
