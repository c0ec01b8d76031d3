"""One folder per gateway; each keeps the contract of ``payments/gateway.py``."""
