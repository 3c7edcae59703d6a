"""The circulation desk: one field for every scan; lending, returning, renewing, paying, undoing."""
