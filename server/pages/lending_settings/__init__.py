"""By what the library lends: the matrix of rules, the policy and the calendar, for administrators."""
