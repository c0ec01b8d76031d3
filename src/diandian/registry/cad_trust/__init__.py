"""Projects, issuances and units in the data model of the Climate Action Data Trust."""
