"""Bound conditions evaluated column-wise, in C, and row by row as the reference."""
