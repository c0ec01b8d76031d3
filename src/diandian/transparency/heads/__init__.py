"""Signed heads of the public log: stored, published, witnessed, and by whom."""
