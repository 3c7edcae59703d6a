"""MARC 21 and CNMARC records: reading them from files, taking them for catalogue records, writing them."""
