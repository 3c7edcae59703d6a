"""The edge daemon: owns every wire of the building and decides what its devices do."""
