"""Exceptions of rules, proposed from events that should not alert."""
