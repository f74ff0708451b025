"""The clinic's tables, one module per subject, all on one MetaData."""
