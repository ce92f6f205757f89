"""What the keys of Redis hold: digests that are the same in every server of either family.

DEBUG DIGEST, of the drill's own server alone, says nothing of what else a backup must bring back:
when keys expire, groups and pending entries of streams, functions. Those have digests of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from restore_drill.core.deadline import at_work
from restore_drill.core.json_values import text, whole
from restore_drill.redis.asking import permitted
from restore_drill.redis.census.model import HORIZONS, Census
from restore_drill.redis.connection import Server

FIELD_TTLS = ("keys_with_volatile_items", "subexpiry")
"""What Valkey, and Redis, call keys whose fields expire by themselves."""


@dataclass(frozen=True)
class Part:
    """So many things, and the digest of them all."""

    count: int
    digest: str

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """From JSON; KeyError or TypeError."""
        return cls(whole(raw["count"]), text(raw["digest"]))

    def as_json(self) -> dict[str, Any]:
        """In JSON's own types."""
        return {"count": self.count, "digest": self.digest}


@dataclass(frozen=True)
class Content:
    """What the keys held: the `digest` of all of them, empty where it says nothing lasting.

    `ttls` are the keys that expire by their place among the HORIZONS; None where the server did not
    say when. `groups` are those of streams, `functions` the libraries; None: the server knows none.
    """

    digest: str = ""
    ttls: Mapping[int, Part] | None = None
    groups: Part = field(default_factory=lambda: Part(0, ""))
    functions: Part | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """From JSON; KeyError, TypeError, ValueError or AttributeError."""
        ttls, functions = raw["ttls"], raw["functions"]
        known = None
        if ttls is not None and ttls["horizons"] == list(HORIZONS):
            known = {int(place): Part.read(each) for place, each in ttls["keys"].items()}
        return cls(
            text(raw["digest"] or ""),
            known,
            Part.read(raw["groups"]),
            None if functions is None else Part.read(functions),
        )

    def as_json(self) -> dict[str, Any]:
        """In JSON's own types."""
        ttls = None
        if self.ttls is not None:
            keys = {str(place): each.as_json() for place, each in sorted(self.ttls.items())}
            ttls = {"horizons": list(HORIZONS), "keys": keys}
        return {
            "digest": self.digest or None,
            "ttls": ttls,
            "groups": self.groups.as_json(),
            "functions": self.functions.as_json() if self.functions else None,
        }


def content_of(server: Server, census: Census, digest: str) -> Content:
    """What the keys of the drill's own `server` hold, by its `census` and its `digest`."""
    ttls = {place: Part(each.count, each.digest) for place, each in census.ttls.items()}
    return Content(
        digest,
        ttls if census.is_exact else None,
        Part(census.groups.count, census.groups.digest),
        functions_of(server),
    )


def digest_of(server: Server) -> str:
    """DEBUG DIGEST of all databases of the drill's own `server`; empty where it says none.

    Also where fields of hashes expire by themselves: then it changes as they go.
    """
    keyspace: Mapping[str, Mapping[str, int]] = server.client.info("keyspace")
    if any(each.get(name, 0) for each in keyspace.values() for name in FIELD_TTLS):
        return ""
    return str(asked(server, "the digest of all keys", "DEBUG", "DIGEST") or "")


def functions_of(server: Server) -> Part | None:
    """The libraries of functions that the drill's own `server` has loaded; None: it knows none."""
    answer = asked(server, "functions", "FUNCTION", "LIST", "WITHCODE")
    if answer is None:
        return None
    libraries = sorted(
        "\0".join(str(library.get(name, "")) for name in ("library_name", "library_code"))
        for library in map(by_name, answer)
    )
    return Part(len(libraries), hashlib.sha256("\0\0".join(libraries).encode()).hexdigest())


def by_name(answer: Any) -> Mapping[str, Any]:
    """An answer of names and values, in turn, by name."""
    if isinstance(answer, Mapping):
        return answer
    return {str(name): value for name, value in zip(answer[::2], answer[1::2], strict=False)}


def asked(server: Server, what: str, *words: str) -> Any:
    """Answer to a command, None where the server does not know it, or has no right to it."""
    ask: Callable[..., Any] = server.client.execute_command
    with at_work(lambda: f"reading {what} of the restored Redis"):
        return permitted(lambda: ask(*words), what, lambda _what, _why: None)
