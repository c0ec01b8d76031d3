"""The organiser's desk: sign-in, scenes, organisations, what is left to cover."""
