"""Cataloguing by hand: new titles and copies, corrections, and what happens to copies apart from lending."""
