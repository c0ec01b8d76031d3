"""What refunds take from suppliers' parts, and what of that is given back."""
