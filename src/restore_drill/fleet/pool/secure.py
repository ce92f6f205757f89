"""What is wrong with a scheduler's address, or with its encryption, before Dask is asked."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

ADDRESS = re.compile(r"(?:tcp|tls|ws|wss|ucx)://(?:\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]@?#]+):(\d{1,5})")
ENCRYPTED = ("tls://", "wss://")
KEYS = {"ca_file": "ca-file", "cert": "client.cert", "key": "client.key"}
"""Files of a client, as Dask calls them in its configuration."""


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
    """CouldNotRun where `scheduler` speaks TLS, and a certificate is not set or cannot be read.

    Dask itself would raise what no one understands.
    """
    if not scheduler.startswith(ENCRYPTED):
        return
    refuse_unreadable(dask.Security().get_tls_config_for_role("client"))
    if dask.Security().get_connection_args("client").get("ssl_context") is None:
        raise CouldNotRun(
            f"no certificate is set for the scheduler of the fleet: {scheduler}",
            checked=[
                "distributed.comm.tls in Dask's configuration: ca-file, client.cert, client.key"
            ],
            remedy=remedy_for("fleet", "no_certificate"),
        )


def refuse_unreadable(files: Mapping[str, str | None]) -> None:
    """CouldNotRun with the name of the one of the client's `files` that cannot be used."""
    named = {KEYS[name]: path for name, path in files.items() if name in KEYS and path}
    named = {key: path for key, path in named.items() if "\n" not in path}  # else it is no file
    for key, path in named.items():
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise unusable(key, path, error.strerror or type(error).__name__) from None
    if authority := named.get("ca-file"):
        try:
            ssl.create_default_context(cafile=authority)
        except (ssl.SSLError, ValueError):
            why = "it is no certificate in PEM format"
            raise unusable("ca-file", authority, why) from None
    if cert := named.get("client.cert"):
        key_file = named.get("client.key")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key_file)
        except (ssl.SSLError, ValueError):
            why = "they are no certificate and its key in PEM format"
            raise unusable("client.cert, client.key", f"{cert}, {key_file}", why) from None


def unusable(key: str, path: str, why: str) -> CouldNotRun:
    """What `key` of Dask's configuration names cannot be used."""
    return CouldNotRun(
        f"a certificate for the scheduler of the fleet cannot be read: {key}: {path}: {why}",
        remedy=remedy_for("fleet", "no_certificate"),
    )
