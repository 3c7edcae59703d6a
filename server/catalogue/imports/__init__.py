"""Importing MARC files into the catalogue, and exporting it: jobs that survive interruption."""
