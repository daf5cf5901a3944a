"""Output formats of rules: parsed, compiled, rendered."""
