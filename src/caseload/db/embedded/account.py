"""Under which user the server runs: PostgreSQL refuses root, so as root it runs as somebody without rights."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from caseload.db.embedded.errors import CannotStart


class ChildUser(TypedDict, total=False):
    """Arguments of `subprocess.Popen` that drop privileges in the child only."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The user that owns the server's files and runs its processes."""

    uid: int
    gid: int

    @property
    def dropped(self) -> bool:
        """Whether the server runs as somebody other than this process."""
        return self.uid != os.geteuid()

    def child(self) -> ChildUser:
        """What `Popen` needs to become this user. Nothing when this process is that user already."""
        return ChildUser(user=self.uid, group=self.gid, extra_groups=[]) if self.dropped else ChildUser()

    def give(self, path: Path) -> None:
        """Hand a file or a folder over to this user."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)


def account_for(cluster: Path) -> Account:
    """Who runs the server over this cluster folder.

    An ordinary user runs it as themselves. Root runs it as the owner of the existing folder, or as `nobody` when
    there is none yet: no user is created and no folder above is opened up. The user must have an entry in the
    user database, since `initdb` looks itself up.
    """
    me = os.geteuid()
    owner = cluster.stat() if cluster.exists() else None
    if me != 0:
        if owner is not None and owner.st_uid != me:
            message = f"{cluster} belongs to another user: run as that user, or choose another CASELOAD_DATA_DIR."
            raise CannotStart(message)
        return Account(me, os.getegid())
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL cannot run as root and this system has no user `nobody`: run as an ordinary user."
        raise CannotStart(message) from None
    return Account(nobody.pw_uid, nobody.pw_gid)
