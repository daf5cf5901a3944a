"""Rules, macros and lists as data, and where they stand in files."""
