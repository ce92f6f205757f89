"""What the Redis stage found, and how it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from restore_drill.core.errors import CouldNotRun, DrillError
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, show_count
from restore_drill.redis.connection import Server
from restore_drill.redis.facts import RedisFacts, show_latency
from restore_drill.redis.keys import OwnKeys


@dataclass(frozen=True)
class RedisStage:
    """The server with its facts and our keys there, or the error that kept us from them.

    `not_tried` says why no write was tried, where nobody can know whether it is safe.
    """

    server: Server | None = None
    facts: RedisFacts | None = None
    keys: OwnKeys | None = None
    error: DrillError | None = None
    write_error: DrillError | None = None
    not_tried: str = ""

    def answer(self) -> tuple[Server, RedisFacts]:
        """Server and facts; raises the stage's error where it does not answer."""
        if self.server is None or self.facts is None:
            error = self.error or CouldNotRun("the Redis stage found nothing")
            raise error.with_traceback(None)  # each criterion raises it, and would add to it
        return self.server, self.facts

    def writable_keys(self) -> OwnKeys:
        """Our keys; raises the stage's error where Redis takes no write, or none was dared."""
        self.answer()
        if self.write_error or self.keys is None:
            error = self.write_error or CouldNotRun("the Redis stage wrote nothing")
            raise error.with_traceback(None)
        return self.keys

    def as_json(self) -> dict[str, Any]:
        """Part `redis` of result.json."""
        if self.facts:
            return self.facts.as_json()
        return {
            "where": self.server.where if self.server else None,
            "own": self.server.own if self.server else False,
            "reachable": False,
            "error": self.error.what if self.error else None,
        }

    @property
    def doubt(self) -> str:
        """What speaks for another database on this server than the one asked; mostly empty."""
        facts = self.facts
        if facts is None or facts.keys != 0 or not facts.other_keys:
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
        facts = self.facts
        steps.ok(f"Redis is reachable (median {show_latency(facts.latency_median)})")
        steps.note(f"Redis keys: {'unknown' if facts.keys is None else f'{facts.keys:,}'}")
        if self.doubt:
            steps.warn(self.doubt)
        steps.note(f"{facts.version or 'Redis'}, role {facts.role or 'unknown'}, {facts.memory}")
        if self.not_tried:
            steps.warn(capitalised(self.not_tried))
        elif self.write_error:
            steps.bad(self.write_error.what)
        else:
            steps.ok("Redis accepts writes")
        if not facts.own:
            steps.warn(
                "REDIS_URL is not set: the drill started its own Redis, yours was not checked"
            )
