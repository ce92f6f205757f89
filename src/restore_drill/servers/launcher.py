"""How the programs of an embedded server are run: as an account that they accept."""

from __future__ import annotations

import functools
import os
import pwd
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cluster import LOCALE
from restore_drill.servers.extensions import library_path
from restore_drill.servers.nameless import LIBRARY, naming


@dataclass(frozen=True)
class Launcher:
    """How the server's programs are run, since they refuse root.

    `account` (uid, gid) is another one to run them under; `prefix` stands before each command.
    `naming` are variables for programs that need a name of the user, who has none.
    """

    account: tuple[int, int] | None = None
    prefix: tuple[str, ...] = ()
    naming: tuple[tuple[str, str], ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `subprocess.Popen` that switch to the account."""
        if self.account is None:
            return {}
        return {"user": self.account[0], "group": self.account[1], "extra_groups": []}

    def run(
        self, command: list[str], *, cwd: Path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end and keep its output; it ends with us, and so do its children."""
        with subprocess.Popen(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
            start_new_session=True,
            **self.options,
        ) as process:
            try:
                output, _ = process.communicate(timeout=60)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(command, process.returncode, output)

    def own(self, *paths: Path) -> None:
        """Give `paths` to the account."""
        if self.account is not None:
            for path in paths:
                os.chown(path, *self.account, follow_symlinks=False)

    def can_enter(self, folder: Path) -> bool:
        """Whether the server can pass through `folder` and all above it."""
        if self.account is None and not self.prefix:
            return True
        owned = os.geteuid() if self.prefix else -1
        found = [path.stat() for path in (folder, *folder.parents)]
        return all(item.st_mode & 0o001 or item.st_uid == owned for item in found)

    def why_not(self, user: int) -> str:
        """Why this way does not run programs as `user`; empty when it does."""
        try:
            output = self.run(["id", "-u"], cwd=Path("/")).stdout.strip()
        except (OSError, subprocess.SubprocessError) as error:
            output = str(error)
        way = " ".join(self.prefix) or f"switching to user {user}"
        return "" if output == str(user) else f"{way}: {output}"


@functools.cache
def choose_launcher() -> Launcher:
    """Way to run PostgreSQL as the current user; CouldNotRun with all that was tried.

    An ordinary user needs none. Root lends the account `nobody`: a dump runs code of its own in
    the server, which must not own root's files. Where that account is not available, a user
    namespace shows the user as another one, though it keeps what is its own. Where there is none
    either, as in most containers, a library names the user.
    """
    user = os.geteuid()
    if user != 0 and is_named(user):
        return Launcher()
    tried = ["/etc/passwd: it names neither nobody nor daemon"]
    other = next((name for name in ("nobody", "daemon") if is_named(name)), None)
    if other is not None:
        uid, gid = pwd.getpwnam(other)[2:4]
        namespace = ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}")
        ways = [Launcher(account=(uid, gid))] if user == 0 else []
        ways.append(Launcher(prefix=namespace))
        tried.clear()
        for way in ways:
            if not (why := way.why_not(uid)):
                return way
            tried.append(why)
    if user != 0:
        if found := naming():
            return Launcher(naming=tuple(found.items()))
        tried.append(f"{LIBRARY}: it is not installed, or names nobody here")
    raise CouldNotRun(
        f"PostgreSQL does not run as user {user}, and no other account is available here",
        checked=tried,
        remedy=remedy_for("target", "no_account"),
    )


def is_named(user: int | str) -> bool:
    """Whether the system knows an account of this number or name; initdb asks for its own."""
    with suppress(KeyError):
        return bool(pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user))
    return False


def small_environment(binaries: Binaries, home: str) -> dict[str, str]:
    """Environment of a server: what runs in a restored database learns nothing of other servers."""
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    libraries = library_path(binaries.bin_dir.parent)
    kept |= {"LD_LIBRARY_PATH": libraries} if libraries else {}
    return {**kept, "LC_ALL": LOCALE, "HOME": home, "TMPDIR": home, "TZ": "UTC"}
