"""Conditions proposed from examples: candidate checks, and the search among them."""
