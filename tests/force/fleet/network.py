"""Machines need a network of their own: a bridge, and a namespace with a cable for each of them."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field


def ip(*arguments: str) -> None:
    """Run `ip`; CalledProcessError."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def why_no_network() -> str:
    """Why no namespace can be made here; empty where one can."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    network = Network()
    try:
        network.make()
        network.join("why")
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        return f"ip makes no namespace: {said.decode().strip()}"
    finally:
        network.remove()
    return ""


@dataclass
class Network:
    """A bridge on this machine, whose address is `host`, and cables from it into namespaces."""

    number: int = field(default_factory=os.getpid)
    cables: dict[str, str] = field(default_factory=dict)
    """Our end of the cable of each namespace, by its name."""

    @property
    def bridge(self) -> str:
        """Name of the bridge."""
        return f"pf{self.number}"

    @property
    def host(self) -> str:
        """Address of this machine on it."""
        return self.address(1)

    def address(self, last: int) -> str:
        """One of the addresses of the network."""
        return f"10.{200 + self.number // 250 % 50}.{self.number % 250}.{last}"

    def make(self) -> None:
        """Make the bridge."""
        ip("link", "add", self.bridge, "type", "bridge")
        ip("address", "add", f"{self.host}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def join(self, name: str) -> str:
        """Make a namespace for the machine `name`, with a cable; the name of the namespace."""
        place, last = f"{self.bridge}-{name}", len(self.cables) + 2
        ours, theirs = place, "eth0"
        self.cables[name] = ours
        ip("netns", "add", place)
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", place)
        ip("link", "set", ours, "master", self.bridge, "up")
        ip("-n", place, "address", "add", f"{self.address(last)}/24", "dev", theirs)
        for each in ("lo", theirs):
            ip("-n", place, "link", "set", each, "up")
        return place

    def cut(self, name: str) -> None:
        """Pull the cable of a machine out."""
        ip("link", "set", self.cables[name], "down")

    def heal(self, name: str) -> None:
        """Plug it in again."""
        ip("link", "set", self.cables[name], "up")

    def remove(self) -> None:
        """Take away all of it, also where only a part was made."""
        for arguments in (
            *(("netns", "del", place) for place in self.cables.values()),
            *(("link", "del", ours) for ours in self.cables.values()),
            ("link", "del", self.bridge),
        ):  # fmt: skip
            with suppress(OSError, subprocess.CalledProcessError):
                ip(*arguments)
