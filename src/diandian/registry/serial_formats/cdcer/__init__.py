"""One numbering."""
