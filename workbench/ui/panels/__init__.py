"""The panels of the lab: the Python side of each part on screen."""
