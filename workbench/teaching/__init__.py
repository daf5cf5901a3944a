"""What the notebooks teach with: exercises, their hints, and checking answers."""
