"""The gateway for trying things out: no money moves."""
