"""Grams set aside for somebody."""
