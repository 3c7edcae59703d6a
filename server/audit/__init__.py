"""The audit log: who did what to what and when; append-only, each row sealed by a hash over it and the one before."""
