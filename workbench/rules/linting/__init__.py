"""What is worth saying about rules beyond what Falco says."""
