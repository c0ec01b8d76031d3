"""Recalls: which retirements a bad stretch of a batch stands behind, and what became of each."""
