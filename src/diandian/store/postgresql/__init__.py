"""PostgreSQL as Django speaks it; a busy connection is not asked at every page whether it lives."""
