"""Rule tests: their files, how they run, and how labels become tests."""
