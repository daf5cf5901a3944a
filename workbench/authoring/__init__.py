"""For plugin authors: write, build, check and compare plugins."""
