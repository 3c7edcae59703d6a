"""Readers' accounts as the desk keeps them: finding, registering, cards, blocks, PINs, fees, privacy."""
