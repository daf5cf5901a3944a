"""What operators, values and transformers mean: globs, paths, regular expressions."""
