"""The wires: what a link is, how its port is opened and how it is kept alive."""
