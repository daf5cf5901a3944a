"""What the lab knows: its model, the order of rows, queries, the rule draft."""
