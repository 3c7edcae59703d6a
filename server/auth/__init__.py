"""Accounts, sign-in, sessions and the throttle of wrong passwords and PINs."""
