"""The working record of an opioid aftercare programme, with an audit log nobody can quietly change."""

__version__ = "0.1.0"
