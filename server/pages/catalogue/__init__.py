"""Cataloguing on pages: finding titles, correcting them, their copies and labels, and files of MARC records."""
