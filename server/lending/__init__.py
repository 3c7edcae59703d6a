"""What the library lends to whom and for how long: the rules, the library's policy and its calendar."""
