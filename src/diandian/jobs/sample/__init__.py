"""Sample data as texts and tables, and the invented guests; every name says that it is a sample."""
