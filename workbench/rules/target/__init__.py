"""What rules are checked against: fields, sources, operands."""
