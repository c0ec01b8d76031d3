"""What suppliers are owed, part by part, and how each travels."""
