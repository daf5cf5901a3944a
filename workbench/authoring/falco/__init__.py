"""Facts of Falco that the tools for plugin authors need."""
