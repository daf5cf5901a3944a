"""Facts of Falco that authors meet: taken names, the layout of an event."""
