"""Decide and act: the reactor calls the cores, the arbiter ranks their wishes, actuation carries them out."""
