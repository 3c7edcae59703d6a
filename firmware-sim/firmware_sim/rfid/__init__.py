"""An HF pad as the wire shows it: a FEIG reader in ISO host mode with ISO 15693 tags in its field."""
