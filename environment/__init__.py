"""Decision core for comfort and preservation: pure rules from samples to commands, no I/O and no clock."""
