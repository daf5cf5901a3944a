"""Mutation testing of rules: whether their tests notice a mistake."""
