"""What is wrong with a scheduler's address, or with its encryption, before Dask is asked."""

from __future__ import annotations

import re
from typing import Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

ADDRESS = re.compile(r"(?:tcp|tls|ws|wss|ucx)://(?:\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]@?#]+):(\d{1,5})")
ENCRYPTED = ("tls://", "wss://")


def is_address(text: str) -> bool:
    """Whether Dask can take `text` for the address of a scheduler: tcp://host:port."""
    found = ADDRESS.fullmatch(text)
    return found is not None and found[1].isascii() and 0 < int(found[1]) < 65536


def refuse_unencrypted(dask: Any, scheduler: str) -> None:
    """CouldNotRun where Dask is to talk by TLS alone, and `scheduler` has an address without it."""
    if dask.Security().require_encryption and not scheduler.startswith(ENCRYPTED):
        raise CouldNotRun(
            f"encryption is required, and the address of the scheduler has none: {scheduler}",
            checked=["distributed.comm.require-encryption in Dask's configuration"],
            remedy=remedy_for("fleet", "unencrypted"),
        )


def refuse_no_certificate(dask: Any, scheduler: str) -> None:
    """CouldNotRun where `scheduler` speaks TLS, and no certificate is set; OSError for a file.

    Dask itself would raise what no one understands.
    """
    if not scheduler.startswith(ENCRYPTED):
        return
    if dask.Security().get_connection_args("client").get("ssl_context") is None:
        raise CouldNotRun(
            f"no certificate is set for the scheduler of the fleet: {scheduler}",
            checked=[
                "distributed.comm.tls in Dask's configuration: ca-file, client.cert, client.key"
            ],
            remedy=remedy_for("fleet", "no_certificate"),
        )
