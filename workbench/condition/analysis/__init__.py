"""Conditions explained: per event, as a funnel, near misses, completion."""
