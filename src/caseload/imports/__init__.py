"""Bringing in what others recorded: folders of CSV files, read without trusting a byte of them."""
