"""Mutation testing of rules: would their tests notice a mistake?"""
