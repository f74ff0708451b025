"""The clinic's own profile files, read as a process starts."""

from caseload.domain.profiles import ProfileBroken
from caseload.domain.profiles.brought import bring
from caseload.settings import Settings, SettingsError


def bring_own_profiles(settings: Settings) -> None:
    """Read what lies in `profiles_dir`; raises `SettingsError` naming the file that cannot be used."""
    if settings.profiles_dir is None:
        bring(())
        return
    if not settings.profiles_dir.is_dir():
        message = f"CASELOAD_PROFILES_DIR: {settings.profiles_dir} is no folder."
        raise SettingsError(message)
    files = sorted(settings.profiles_dir.glob("*.json"))
    try:
        bring((file.name, file.read_bytes()) for file in files)
    except ProfileBroken as broken:
        message = f"CASELOAD_PROFILES_DIR: {broken}"
        raise SettingsError(message) from broken
