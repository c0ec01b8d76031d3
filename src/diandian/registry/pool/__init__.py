"""Whole tonnes behind grams: which are sold, which its registry has retired, and the open one."""
