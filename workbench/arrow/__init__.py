"""Field types as Arrow types, and columns of addresses, times and values as text."""
