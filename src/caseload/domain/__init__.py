"""What is true in the clinic: plain Python, with no web, no database, no clock and no log."""
