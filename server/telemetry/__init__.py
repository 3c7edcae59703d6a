"""Measured values over time: the TelemetryStore that the rooms' history is read from."""
