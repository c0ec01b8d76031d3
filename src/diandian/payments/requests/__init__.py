"""What one person asks for about money and a second one decides."""
