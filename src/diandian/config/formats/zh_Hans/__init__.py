"""Formats of zh_Hans."""
