"""What the Redis stage found, and how it is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restore_drill.core.errors import CouldNotRun, DrillError
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, show_count
from restore_drill.redis.connection import Server
from restore_drill.redis.facts import RedisFacts
from restore_drill.redis.keys import OwnKeys
from restore_drill.redis.latency import show_latency

if TYPE_CHECKING:
    from restore_drill.redis.own.cluster import Cluster
    from restore_drill.redis.own.sentinel import Watch


@dataclass(frozen=True)
class Reached:
    """The servers that hold the keys: one, or the primary of each shard of a `cluster`.

    `watch` is what Sentinels say, where they named it.
    """

    servers: tuple[Server, ...]
    watch: Watch | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Node:
    """One server with its facts and our keys there; `write_error` is why it took no write.

    `not_tried` says why none was tried, where it could cost live keys, or nobody can know.
    """

    server: Server
    facts: RedisFacts
    keys: OwnKeys
    write_error: DrillError | None = None
    not_tried: str = ""


@dataclass(frozen=True)
class RedisStage:
    """The `nodes` that were checked, or the error that kept us from them.

    They are one server, or the primary of each shard of a `cluster`. `reached` is the server that
    was asked first, `watch` what Sentinels say of it.
    """

    nodes: tuple[Node, ...] = ()
    error: DrillError | None = None
    reached: Server | None = None
    watch: Watch | None = None
    cluster: Cluster | None = None

    def checked(self) -> tuple[Node, ...]:
        """The nodes; raises the stage's error where one of them does not answer."""
        if self.error or not self.nodes:
            error = self.error or CouldNotRun("the Redis stage found nothing")
            raise error.with_traceback(None)  # each criterion raises it, and would add to it
        return self.nodes

    def answer(self) -> tuple[Server, RedisFacts]:
        """The first server and its facts; raises the stage's error where one does not answer."""
        first = self.checked()[0]
        return first.server, first.facts

    def writable_keys(self) -> list[OwnKeys]:
        """Our keys on each node where a write was dared; raises what kept one from being made."""
        nodes = self.checked()
        for error in (node.write_error for node in nodes if node.write_error):
            raise error.with_traceback(None)
        return [node.keys for node in nodes if not node.not_tried]

    @property
    def server(self) -> Server | None:
        """The server that was asked first, where one was."""
        return self.nodes[0].server if self.nodes else self.reached

    @property
    def facts(self) -> RedisFacts | None:
        """Facts of the first node, None where one does not answer."""
        return self.nodes[0].facts if self.nodes and not self.error else None

    def as_json(self) -> dict[str, Any]:
        """Part `redis` of result.json: the first node, and of a cluster all `nodes`."""
        found: dict[str, Any] = {}
        if self.facts:
            found = self.facts.as_json()
        else:
            server = self.server
            found = {
                "where": server.where if server else None,
                "own": server.own if server else False,
                "reachable": False,
                "error": self.error.what if self.error else None,
            }
        if self.watch:
            found["sentinel"] = self.watch.as_json()
        if self.cluster:
            nodes = [node.facts.as_json() for node in self.nodes]
            found |= {"cluster": self.cluster.as_json(), "nodes": nodes}
        return found

    @property
    def warnings(self) -> list[str]:
        """What does not fail the drill and is to be known."""
        found = [self.doubt] if self.doubt else []
        found += self.watch.warnings if self.watch else []
        for node in self.nodes:
            if node.server.own and (
                doubt := node.facts.persistence and node.facts.persistence.warning
            ):
                found.append(f"Redis at {node.server.where} {doubt}")
        return found

    @property
    def doubt(self) -> str:
        """What speaks for another database on this server than the one asked; mostly empty."""
        facts = self.facts
        if facts is None or facts.keys != 0 or not facts.other_keys or self.cluster:
            return ""
        number, count = max(facts.other_keys.items(), key=lambda item: item[1])
        elsewhere = f"database {number} holds {show_count(count, 'key')}"
        return (
            f"Redis: database {facts.database} is empty, but {elsewhere}: is that the right number?"
        )

    def report(self, steps: Steps) -> None:
        """Print the stage's lines."""
        if self.facts is None:
            steps.bad(self.error.what if self.error else "Redis could not be reached")
            return
        steps.ok(f"Redis is reachable (median {show_latency(self.slowest.latency.median)})")
        counts = [node.facts.keys for node in self.nodes]
        known = sum(count for count in counts if count is not None)
        steps.note(f"Redis keys: {'unknown' if None in counts else f'{known:,}'}")
        for warning in self.warnings:
            steps.warn(warning)
        for line in self.lines():
            steps.note(line)
        self.report_writes(steps)
        if not self.facts.own:
            steps.warn(
                "REDIS_URL is not set: the drill started its own Redis, yours was not checked"
            )

    @property
    def slowest(self) -> RedisFacts:
        """Facts of the node with the slowest median."""
        return max((node.facts for node in self.nodes), key=lambda facts: facts.latency.median)

    def lines(self) -> Iterator[str]:
        """What is known of the servers, a line each."""
        if self.watch:
            host, port = self.watch.primary
            answered = show_count(len(self.watch.answers), "Sentinel")
            yield f"Primary {self.watch.name}, by {answered}: {host}:{port}"
        if self.cluster:
            yield f"Cluster of {show_count(len(self.nodes), 'shard')}, state {self.cluster.state}"
        for node in self.nodes:
            facts = node.facts
            where = f"{facts.where}: " if self.cluster else ""
            yield (
                f"{where}{facts.version or 'Redis'}, role {facts.role or 'unknown'}, {facts.memory}"
            )
            if facts.own and facts.persistence:
                yield f"{where}{capitalised(facts.persistence.words)}"
            if facts.own:
                yield f"{where}{facts.latency.words}"
            for replica in facts.replicas or ():
                yield f"{where}replica {replica.words}"

    def report_writes(self, steps: Steps) -> None:
        """Say what came of the writes."""
        for node in self.nodes:
            if node.not_tried:
                steps.warn(capitalised(node.not_tried))
            elif node.write_error:
                steps.bad(node.write_error.what)
        if all(not (node.not_tried or node.write_error) for node in self.nodes):
            steps.ok("Redis accepts writes")
