"""The parent's side of the process border."""
