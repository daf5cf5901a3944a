"""Rules as conditions to evaluate: lists, macros and exceptions put in."""
