"""Chargebacks: money that payers' banks take back until they have decided."""
