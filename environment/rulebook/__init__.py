"""Rules before they move anything: tried on samples (dry run), read for mistakes (lint), begun from presets."""
