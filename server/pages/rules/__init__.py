"""The rules' page: every rule in words, a form for each, what they would have done, and their way to the gateway."""
