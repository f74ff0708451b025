"""What whoever runs the service can mend, told in one line."""


class OperatorError(Exception):
    """Something that whoever runs the service can mend. The text says what is wrong and what to do, in one line."""


class SettingsError(OperatorError):
    """A setting is missing, misspelt or cannot be used; the text says which, and what to do."""
