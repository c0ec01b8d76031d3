"""Checks a certificate with nothing but its file; the side that signs uses the same code."""
