"""Noise: how many alerts rules would raise, when, and about what."""
