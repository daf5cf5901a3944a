"""Coverage of rules: which rules and checks decide anything on real events."""
