"""Alarms of the panels as the library remembers them, and what people do about them."""
