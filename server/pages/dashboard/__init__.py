"""The librarians' pages: overview and alarms."""
