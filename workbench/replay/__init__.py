"""Whether stored events give the values that the live capture gave."""
