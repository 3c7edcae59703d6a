"""What terminals ask for, carried out by the services of the library."""
