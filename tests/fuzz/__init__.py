"""Random and damaged input for everything that reads what strangers wrote.

``make fuzz`` runs the targets until it is stopped; the tests run each for a moment.
"""
