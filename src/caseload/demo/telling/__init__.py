"""Letting the stories happen, one subject per module, each through the functions that the clinic's own people use."""
