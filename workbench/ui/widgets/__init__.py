"""The widgets of the lab, and the scripts and styles they are made of."""
