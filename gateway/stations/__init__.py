"""Places where tags are handled."""
