"""Scene kinds: one folder each, found by looking."""
