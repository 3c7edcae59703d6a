"""Work lists: what only a person at the library can put right or carry away."""
