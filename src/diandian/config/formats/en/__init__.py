"""Formats of en."""
