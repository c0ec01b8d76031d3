"""Where suppliers receive money, by two people."""
