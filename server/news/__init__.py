"""What the library tells its readers, in both languages, from one day to another."""
