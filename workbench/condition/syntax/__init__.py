"""The grammar of conditions: text to tree, and tree to canonical text."""
