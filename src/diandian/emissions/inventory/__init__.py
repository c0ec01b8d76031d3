"""The organiser's inventory."""
