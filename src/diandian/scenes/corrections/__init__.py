"""Corrections of published scenes, each a version of its own."""
