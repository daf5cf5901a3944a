"""Benchmarks: ratios inside one run, never a timed test. ``make bench`` runs them."""
