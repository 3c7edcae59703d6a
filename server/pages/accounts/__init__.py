"""Colleagues' accounts and machines' tokens as pages, for administrators."""
