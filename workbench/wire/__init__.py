"""What crosses the process border: messages, the shared page, small JSON.

Both sides import it, so it needs the standard library alone.
"""
