"""What has arrived of a backup, against what lies at its place.

By TLS and SSH nothing changes unseen on its way. Without them, what seems damaged is fetched once
more: a transfer that is damaged is no damage of the backup.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.origins import Origin, origins
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration


class Transfer(NamedTuple):
    """How a backup came here: its bytes, when it began, and seconds, without those of waiting."""

    size: int
    ago: float
    seconds: float
    is_kept: bool

    @property
    def text(self) -> str:
        """`fetched 12.0 MB in 3.00 s (4.0 MB/s)`."""
        rate = f" ({show_bytes(self.size / self.seconds)}/s)" if self.seconds else ""
        how = "taken from the cache" if self.is_kept else "fetched"
        return f"{how}: {show_bytes(self.size)} in {show_duration(self.seconds)}{rate}"


def transfer_of(path: Path) -> Transfer | None:
    """How the backup at `path` came here, a file or a folder of them; None of one that was here."""
    parts = [each for at, each in arrivals.items() if at.is_relative_to(path)]
    if not parts or not all(each.is_whole for each in parts):
        return None
    return Transfer(
        sum(each.arrived for each in parts),
        time.monotonic() - min(each.started for each in parts),
        sum(each.ended - each.started - each.paused for each in parts),
        all(each.is_kept for each in parts),
    )


PROVED = "its ETag is the MD5 of what arrived"


def checksum_there(path: Path) -> str | None:
    """What the place itself says of the bytes of the backup at `path`; None of one that is here.

    An ETag that is no MD5 says nothing: so it is with encryption by keys of the place (KMS).
    """
    arrival = arrivals.get(path)
    is_proved = arrival and arrival.md5 and arrival.summed.hexdigest() == arrival.md5
    return PROVED if is_proved else None


def version_there(path: Path) -> str | None:
    """The version of the backup at `path` that was read, None of one that is here."""
    origin = origins.get(path)
    return origin.version.strip('"') or None if origin else None


def check_arrival(path: Path, progress: Callable[[str], None], *, is_damaged: bool) -> None:
    """Raise CouldNotRun where the backup at `path` does not lie at its place as it arrived.

    It is fetched again if it `is_damaged`, or may differ, and nothing has guarded it on its way.
    """
    origin, arrival = origins.get(path), arrivals.get(path)
    if origin is None or arrival is None or origin.is_guarded or checksum_there(path):
        return
    if (is_damaged or origin.md5) and digest_again(origin, progress) != arrival.digest.hexdigest():
        raise CouldNotRun(
            f"{path.name} is damaged on its way: fetched twice, it was not the same",
            checked=[f"version {origin.version}, {show_bytes(origin.size)}"],
            remedy=remedy_for("places", "damaged"),
        )


def digest_again(origin: Origin, progress: Callable[[str], None]) -> str:
    """SHA-256 of the same version, fetched once more."""
    digest, count = hashlib.sha256(), 0
    for piece in origin.pieces():
        digest.update(piece)
        count += len(piece)
        progress(f"fetching it again, to compare: {show_bytes(count)} of {show_bytes(origin.size)}")
    return digest.hexdigest()
