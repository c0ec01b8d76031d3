"""How rooms talk to the database: transactions, and statements that are composed once."""
