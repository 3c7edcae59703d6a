"""Zigbee: zigpy behind one class, with a thin cluster layer of our own."""
