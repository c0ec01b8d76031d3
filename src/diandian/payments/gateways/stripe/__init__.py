"""Stripe: a page of its own takes cards and wallets; suppliers are paid by Connect transfers."""
