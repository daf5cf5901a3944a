"""Text for people: printable, HTML, units, aligned tables."""
