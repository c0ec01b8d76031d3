"""Audits the public log of the grams with nothing but its public files; run by anybody."""
