"""Rows, columns and values as the lab's browser side wants them."""
