"""Every setting the service reads, and the secrets that it keeps."""

from caseload.settings.errors import OperatorError, SettingsError
from caseload.settings.reading import PREFIX, SECRETS, Address, Proxies, Settings, default_data_dir, load, read
from caseload.settings.secret import (
    HOW_TO_BRING,
    LOCAL_PASSWORDS,
    ROOT_KEY,
    Secret,
    brought_secret,
    kept_secret,
)

__all__ = [
    "HOW_TO_BRING",
    "LOCAL_PASSWORDS",
    "PREFIX",
    "ROOT_KEY",
    "SECRETS",
    "Address",
    "OperatorError",
    "Proxies",
    "Secret",
    "Settings",
    "SettingsError",
    "brought_secret",
    "default_data_dir",
    "kept_secret",
    "load",
    "read",
]
