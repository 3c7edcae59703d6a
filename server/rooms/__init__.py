"""The rooms: what is measured in them, what their actuators do, and people's wishes above the rules."""
