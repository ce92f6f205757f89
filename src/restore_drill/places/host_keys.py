"""Whether a server is the one that it is taken for: its key, and what is known of it."""

from __future__ import annotations

import re
from shlex import quote

import asyncssh

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

PORT = 22
BEHIND = re.compile(r" for host (\S+)")
NO_COMMON = re.compile(r"no matching host key", re.IGNORECASE)


class HostKey(asyncssh.SSHClient):
    """Notes the key that a server shows where it is none of those that are known."""

    def __init__(self) -> None:
        """None has been seen."""
        self.known = asyncssh.SSHKnownHosts()
        self.seen: asyncssh.SSHKey | None = None
        self.host, self.port, self.others = "", PORT, False

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Trust no key that is not known."""
        self.seen, self.host, self.port = key, host, port
        self.others = bool(self.known.match(host, addr, port if port != PORT else None)[0])
        return False

    def refusal(self, url: str, error: Exception) -> CouldNotRun | None:
        """Why the server at `url` is not trusted; None where `error` is about something else."""
        if NO_COMMON.search(str(error)):
            return refused(
                url, ("the server has none of the host keys that are known for it"), "host_key_gone"
            )
        if not isinstance(error, asyncssh.HostKeyNotVerifiable):
            return None
        if self.seen is None or "revoked" in str(error):
            behind = BEHIND.search(str(error))
            what = (
                "its host key is revoked"
                if "revoked" in str(error)
                else "its host key is not known"
            )
            return refused(url, f"{what} (of {behind[1]})" if behind else what, "host_key_jump")
        return self.unknown(url, self.seen)

    def unknown(self, url: str, key: asyncssh.SSHKey) -> CouldNotRun:
        """The key of the server is new, or another one than before."""
        kind = key.get_algorithm()
        name = self.host if self.port == PORT else f"[{self.host}]:{self.port}"
        return CouldNotRun(
            f"{url} cannot be read: "
            + ("the host key has CHANGED" if self.others else "the host key is not known")
            + f" ({kind})",
            checked=[
                f"{key.get_fingerprint()} is the key that {name} presents",
                f"known_hosts has {'another key' if self.others else 'no key'} for {name}",
            ],
            remedy=remedy_for(
                "host_key",
                "changed" if self.others else "unknown",
                file=f"/etc/ssh/ssh_host_{short_kind(kind)}_key.pub",
                finger=key.get_fingerprint(),
                forget=f"ssh-keygen -R {quote(name)}",
                learn=f"ssh-keyscan -p {self.port} -t {short_kind(kind)} {quote(self.host)}"
                " >> ~/.ssh/known_hosts",
            ),
        )


def short_kind(algorithm: str) -> str:
    """What ssh-keyscan calls the kind of a key."""
    return next((kind for kind in ("ed25519", "ecdsa") if kind in algorithm), "rsa")


def refused(url: str, what: str, cause: str) -> CouldNotRun:
    """The server at `url` is not trusted for another reason than a new key."""
    return CouldNotRun(f"{url} cannot be read: {what}", remedy=remedy_for("places", cause))
