"""Paper for shelves and books: spine labels and barcode labels as PDF."""
