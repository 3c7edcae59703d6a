"""Energy and comfort of the rooms, a month at a time, beside the month before: read from the telemetry store."""
