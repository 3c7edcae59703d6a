"""The network itself: how devices come in, how it is shown, and its backups."""
