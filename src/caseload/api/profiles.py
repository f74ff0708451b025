"""Jurisdiction profiles: the rules that refusals, decisions and records name, with their sources, as the files say them."""

from litestar import Router
from litestar.params import FromPath

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.domain.access import Act
from caseload.domain.profiles import Profile, profile_version, profiles

_NOBODY = "shows published rules, and nothing of any client"


class ProfilesOut(Wire, frozen=True, kw_only=True):
    """Every version of every profile, oldest first."""

    items: list[Profile]


@reading("/profiles", act=Act.KNOW_MYSELF, name="list_profiles", problems=(), unaudited=_NOBODY)
async def list_profiles() -> ProfilesOut:
    """Every version of every profile."""
    return ProfilesOut(items=[version for versions in profiles().values() for version in versions])


@reading("/profiles/{profile:str}/versions/{version:int}", act=Act.KNOW_MYSELF, name="read_profile", unaudited=_NOBODY)
async def read_profile(profile: FromPath[str], version: FromPath[int]) -> Profile:
    """One version of a profile, as a refusal or a decision names it: `UK-1` is version 1 of UK."""
    return profile_version(profile, version)


router = Router("/", route_handlers=[list_profiles, read_profile], tags=["Profiles"])
