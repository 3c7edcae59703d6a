"""Decision core for fire and, later, intrusion: pure panels from readings to alarms and outputs; no I/O, no clock."""
