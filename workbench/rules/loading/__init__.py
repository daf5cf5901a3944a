"""Rules files read: YAML items decoded, checked, collected and updated."""
