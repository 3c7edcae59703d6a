"""One file that holds the library, made while everything runs, and the library made from it again (docs/backup.md)."""
