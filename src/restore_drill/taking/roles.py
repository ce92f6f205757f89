"""The roles of the server, in a file beside a backup: a dump of one database has none."""

from __future__ import annotations

import io
import subprocess

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_lines import safe_lines
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.selection.series import stem_of
from restore_drill.servers.model import Target
from restore_drill.taking.recipients import Seal

SUFFIX = ".roles.sql"
SECONDS = 300.0
"""pg_dumpall reads a few catalogs; so long it waits for a lock on one of them."""


def role_file(backup: str, target: Target, seal: Seal | None) -> tuple[str, bytes]:
    """Name and content of the file of roles beside `backup`, encrypted as that; CouldNotRun."""
    name, content = stem_of(backup) + SUFFIX, roles_of(target)
    if seal is None:
        return name, content
    with seal.open(io.BytesIO(content)) as stream:
        return name + seal.suffix, stream.read()


def roles_of(target: Target) -> bytes:
    """The roles of the server of `target` as pg_dumpall writes them, without their passwords."""
    command = [
        target.binaries.tool("pg_dumpall"), "--roles-only", "--no-role-passwords", "--no-password",
        f"--database={target.conninfo['dbname']}",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, env=target.tool_environment, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise not_dumped(target, [f"pg_dumpall did not end within {SECONDS:.0f} s"]) from None
    if done.returncode:
        lines = safe_lines(done.stderr.decode("utf-8", "replace").splitlines())
        raise not_dumped(target, lines[-5:] or [f"it ended with exit code {done.returncode}"])
    return done.stdout


def not_dumped(target: Target, reasons: list[str]) -> CouldNotRun:
    """The roles cannot be had."""
    return CouldNotRun(
        f"no backup was taken: the roles of {target.description} cannot be read",
        checked=reasons,
        remedy=dump_remedy(reasons),
    )


def is_beside(roles: str, backup: str) -> bool:
    """Whether `roles` is what the role file beside `backup` is called, and no other path."""
    return roles in {stem_of(backup) + SUFFIX + seal for seal in ("", ".age", ".gpg")}
