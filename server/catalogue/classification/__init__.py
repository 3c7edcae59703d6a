"""The Chinese Library Classification: main classes as shipped, finer ones from a library's own table."""
