"""JSON schemas of strangers: ``resolving`` to show them, ``validating`` by them.

An init schema comes from a plugin, so depth, size and time of every step are bounded.
"""
