"""PostgreSQL as Django speaks it, with a connection that is not asked "are you there" at every page."""
