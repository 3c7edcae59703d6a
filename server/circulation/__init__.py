"""Loans: checkout, checkin, renewal, and the rules they follow."""
