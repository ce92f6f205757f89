"""Which servers are kept, by the owner files of their run directories: cheap, and for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from restore_drill.core.printable import printable
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.owned import OWNER, is_held

MARK = ", kept until "
"""Stands in the owner file of a run directory whose server is kept."""
READY = b"ready"
"""What a keeper writes once it holds its server."""


def kept_lines() -> Iterator[str]:
    """A line on each kept server, without a look at all processes."""
    for base in (*cleanup.bases(), cleanup.MEMORY):
        for path in sorted(base.glob(f"{cleanup.PREFIX}*")):
            with suppress(OSError):
                _, mark, until = untrusted.read_text(path / OWNER).partition(MARK)
                if mark and is_held(path):
                    yield printable(f"{path} (until {until})")
