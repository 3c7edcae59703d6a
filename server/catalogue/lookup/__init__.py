"""What is known of an ISBN: in the catalogue, in the pool of records kept aside, in other libraries' catalogues."""
