"""What Falco does not complain of, and what rules require."""
