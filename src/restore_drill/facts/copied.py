"""What is known of a database that came as files, and whose files have been examined already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target


@dataclass(frozen=True)
class Copied:
    """A database whose indexes, too, came as they are: nothing of it was built here.

    `opened` opens a session in which a damaged row may crash the server. Tables that are `damaged`
    are not read, by their oid with the reason; `damage` is what else is wrong with its storage.
    """

    opened: Callable[[Target], Connection]
    damaged: Mapping[int, str] = field(default_factory=dict)
    damage: tuple[str, ...] = ()
