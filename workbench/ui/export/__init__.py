"""The lab's state as code and as a summary."""
