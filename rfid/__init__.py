"""RFID readers, tags and library data models; knows no port, no socket and no database."""
