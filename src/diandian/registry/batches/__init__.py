"""How credits enter the book, and how a batch is stopped."""
