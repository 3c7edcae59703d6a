"""One module a step of the history, named vNNNN_what.py."""
