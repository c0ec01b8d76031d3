"""What the issuing registries retired for us."""
