"""Pages for people: the start page, the documentation, and the workbench to come."""
