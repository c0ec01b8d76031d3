"""Money on its way back to guests."""
