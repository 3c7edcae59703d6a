"""A digital I/O module in the manner of the ADAM-4150, speaking Modbus RTU from its own tables."""
