"""How issuing registries write serial numbers: one folder a numbering, found by looking; pure.

Each has a file ``numbering.py`` with ``EXAMPLE``, ``read`` and ``write`` (see ``base``).
"""
