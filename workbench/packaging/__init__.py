"""Build glue: the PEP 517 backend of the project. Nothing here runs after install."""
