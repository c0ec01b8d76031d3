"""What may be said: the level that the evidence supports, and the only words for it."""
