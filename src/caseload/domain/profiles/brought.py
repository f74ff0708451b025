"""A clinic's own variants of a jurisdiction's profile: files beside ours, which may only tighten.

Federal and national rules are floors. A variant names the profile that it rests on and is held against every version of it
that is in force while the variant is; where it loosens anything the process does not start.
"""

from collections.abc import Iterable, Mapping

from caseload.domain.profiles import (
    Profile,
    ProfileBroken,
    in_order,
    profile_on,
    profiles,
    read_profile,
    replace_brought,
)
from caseload.domain.profiles.comparing import loosened


def bring(files: Iterable[tuple[str, bytes]]) -> None:
    """Put the variants of these files, by name, in the place of those that were there. Raises `ProfileBroken`."""
    found: dict[str, list[tuple[str, Profile]]] = {}
    for where, text in files:
        profile = read_profile(text, where)
        found.setdefault(profile.profile, []).append((where, profile))
    replace_brought({})
    ours = profiles()
    own: dict[str, tuple[Profile, ...]] = {}
    for name, versions in sorted(found.items()):
        ordered = in_order(profile for _, profile in versions)
        names = {profile.label: where for where, profile in versions}
        for version, later in zip(ordered, (*ordered[1:], None), strict=True):
            _check(version, later, ours, names[version.label])
        own[name] = ordered
    replace_brought(own)


def _check(version: Profile, later: Profile | None, ours: Mapping[str, tuple[Profile, ...]], where: str) -> None:
    base = version.tightens
    if base is None or base not in ours:
        raise ProfileBroken(f"{where}: `tightens` must name the profile that it rests on: {', '.join(sorted(ours))}")
    if not version.profile.startswith(f"{base}-") or version.profile in ours:
        raise ProfileBroken(f"{where}: its name must be {base}- and a word of the clinic's own")
    over = [profile_on(base, version.in_force_from)]
    over += [
        each
        for each in ours[base]
        if each.in_force_from > version.in_force_from and (later is None or each.in_force_from < later.in_force_from)
    ]
    looser = [f"{each.label}: {rule}" for each in over for rule in loosened(each, version)]
    if looser:
        raise ProfileBroken(f"{where}: a variant may only tighten, and loosens {'; '.join(looser)}")
