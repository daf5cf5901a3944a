"""Parsed conditions bound to fields: types, values, warnings, diagnostics."""
