"""A small witness: remembers how far it has seen each log, and signs what continues that.

*Source:* C2SP tlog-witness, ``add-checkpoint``. Needs nothing but this package; see
``docs/howto/run-a-witness.md``.
"""
