"""The audit log as a page, for administrators."""
