"""Sentinels asked: where the primary is that they watch, and whether they can replace it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from restore_drill.core.errors import BackupFault, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.asking import Skip, permitted
from restore_drill.redis.connection import Server, beside
from restore_drill.redis.faults import explain
from restore_drill.redis.own.address import Address


@dataclass(frozen=True)
class Watch:
    """What Sentinels say of the primary `name`: it is at `primary`, host and port.

    `answers` holds by Sentinel the `host:port` that it named, `silent` what those said or suffered
    that named none. `quorum` is what keeps them from replacing it, empty where nothing does;
    `gone` are its replicas that they do not reach.
    """

    name: str
    primary: tuple[str, int]
    answers: dict[str, str]
    silent: tuple[DrillError, ...] = ()
    quorum: str = ""
    gone: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """Why nobody could rely on them; empty where all is well."""
        if len(set(self.answers.values())) > 1:
            named = ", ".join(f"{where} names {said}" for where, said in self.answers.items())
            return f"the Sentinels do not agree on the primary {self.name}: {named}"
        if self.quorum:
            return f"the Sentinels could not replace the primary {self.name}: {self.quorum}"
        return ""

    @property
    def warnings(self) -> list[str]:
        """What does not keep them from their work, and is to be mended."""
        found = [f"one of several Sentinels does not answer: {each.what}" for each in self.silent]
        if self.gone:
            gone = ", ".join(self.gone)
            found.append(f"Redis: the Sentinels do not reach replicas of {self.name}: {gone}")
        return found

    def as_json(self) -> dict[str, Any]:
        """Part `sentinel` of the Redis part of result.json."""
        return {
            "name": self.name,
            "answers": self.answers,
            "silent": [each.what for each in self.silent],
            "quorum": self.quorum or "ok",
            "replicas_gone": list(self.gone),
        }


def sentinels_of(address: Address, server: Server) -> list[Server]:
    """The Sentinels that `address` names, with their own login and the TLS of `server`."""
    login = {"username": None, "password": None} | address.sentinel_login
    return [
        replace(
            beside(server, host=host, port=port, db=0, **login),
            where=f"{host}:{port}",
            kind="Sentinel",
        )
        for host, port in address.sentinels
    ]


def ask(sentinels: Sequence[Server], name: str, skip: Skip) -> Watch:
    """Ask all `sentinels` for the primary `name`; raises `BackupFault` where none knows it."""
    import redis  # noqa: PLC0415 - loads slowly

    answers: dict[str, tuple[str, int]] = {}
    silent: list[DrillError] = []
    helpful: list[Server] = []
    for sentinel in sentinels:
        try:
            found: Any = sentinel.client.sentinel_get_master_addr_by_name(name)
            if found is None:
                silent.append(unknown_name(sentinel, name))
                continue
        except redis.RedisError as error:
            silent.append(explain(error, sentinel, "asking a Sentinel for the primary"))
            continue
        answers[sentinel.where] = (str(found[0]), int(found[1]))
        helpful.append(sentinel)
    if not helpful:
        first = silent[0]
        others = [each.what for each in silent[1:]]
        raise BackupFault(first.what, checked=[*first.checked, *others], remedy=first.remedy)
    shown = {where: f"{host}:{port}" for where, (host, port) in answers.items()}
    watch = Watch(name, answers[helpful[0].where], shown, tuple(silent))
    return replace(
        watch,
        quorum=quorum_of(helpful[0], name, skip),
        gone=gone_replicas(helpful[0], name, skip),
    )


def only_name(sentinel: Server) -> str:
    """Name of the one primary that `sentinel` watches; raises `BackupFault` for none or several."""
    names = names_of(sentinel)
    if len(names) == 1:
        return names[0]
    watched = f"several primaries ({', '.join(names)})" if names else "no primary"
    raise BackupFault(
        f"REDIS_URL names a Sentinel, {sentinel.where}, which watches {watched}",
        checked=["SENTINEL MASTERS"],
        remedy=remedy_for("sentinel", "several" if names else "none"),
    )


def names_of(sentinel: Server) -> list[str]:
    """Names of the primaries that `sentinel` watches."""
    return sorted(map(str, sentinel.client.sentinel_masters()))


def unknown_name(sentinel: Server, name: str) -> BackupFault:
    """The error for a Sentinel that watches other primaries than `name`."""
    known = ", ".join(names_of(sentinel)) or "none"
    return BackupFault(
        f"Sentinel at {sentinel.where} watches no primary called {name}",
        checked=[f"primaries that it watches: {known}"],
        remedy=remedy_for("sentinel", "unknown_name"),
    )


def quorum_of(sentinel: Server, name: str, skip: Skip) -> str:
    """What keeps the Sentinels from replacing the primary, in the words of one; else empty."""
    import redis  # noqa: PLC0415 - loads slowly

    check: Callable[..., Any] = sentinel.client.execute_command
    try:
        check("SENTINEL CKQUORUM", name)
    except redis.ResponseError as error:
        if "NOQUORUM" in str(error):
            return sentinel.scrub(str(error)).removeprefix("NOQUORUM ")
        skip("the quorum of the Sentinels", f"{sentinel.where} refused to report it")
    return ""


def gone_replicas(sentinel: Server, name: str, skip: Skip) -> tuple[str, ...]:
    """Replicas of the primary that `sentinel` knows and does not reach."""
    ask_it = partial(sentinel.client.sentinel_slaves, name)
    known = permitted(ask_it, "replicas known to the Sentinels", skip) or []
    return tuple(
        f"{each['ip']}:{each['port']}"
        for each in known
        if {"s_down", "disconnected"} & set(str(each["flags"]).split(",")) or each.get("is_sdown")
    )
