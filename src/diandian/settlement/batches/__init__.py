"""Payouts of many parts at once, and their files."""
