"""The targets written in Python: each makes an input and checks what reads it."""
