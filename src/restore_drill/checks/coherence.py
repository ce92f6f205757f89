"""Rules about keys of Redis and rows: asked of a restored database, with errors in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import psycopg

from restore_drill.checks.names import CriteriaNames
from restore_drill.checks.run import reason_of
from restore_drill.config.criteria import Rule
from restore_drill.core.errors import CouldNotRun, message
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import open_session
from restore_drill.redis.coherence.columns import NotCompared, NotInDatabase, WrongCondition
from restore_drill.redis.coherence.compare import compare
from restore_drill.redis.coherence.found import Found
from restore_drill.redis.coherence.live import SHARED
from restore_drill.redis.coherence.reading import Limits, TooMuch
from restore_drill.redis.connection import Server
from restore_drill.redis.faults import explain
from restore_drill.servers.model import Target

SECTION = "[[redis.coherence]]"
LONGEST = 80
"""Characters of a key's name that are shown."""
OUR_MEANS = ("42501", "53")
"""SQLSTATEs of a server that gives no temporary table, or has no room for it."""
RIGHTS = "+select +scan +get +hget +exists"
"""What the user of a Redis needs, beside reading the keys."""


class Coherence:
    """Rules of `names.criteria` on the rows of `target`, which has `relations` by name.

    With `show` a few names of keys are kept for the terminal.
    """

    def __init__(
        self,
        target: Target,
        relations: Collection[str],
        names: CriteriaNames,
        progress: Callable[[str], None],
        *,
        show: bool,
    ) -> None:
        """Nothing is asked yet; `progress` hears of what takes long."""
        self.target = target
        self.relations = relations
        self.names = names
        self.progress = progress
        self.show = show

    def compare(self, rule: Rule, servers: Sequence[Server], limits: Limits | None = None) -> Found:
        """The keys of `servers`, all shards of a cluster, against the rows, by `rule`.

        Raises AssertionError with the message where the database lacks what it is about,
        CriteriaError for a slip in it, CouldNotRun where it cannot be compared, and an error of
        Redis as `explain` words it.
        """
        import redis  # noqa: PLC0415 - loads slowly

        limits = limits or (Limits() if self.target.throwaway else SHARED)
        limits = replace(limits, query=self.names.criteria.sql_timeout)
        clients, server = [each.client for each in servers], servers[0]
        try:
            with open_session(self.target) as session:
                return compare(
                    rule, clients, session,
                    limits=limits, show=self.show, progress=self.progress,
                )  # fmt: skip
        except NotInDatabase as error:
            raise AssertionError(self.lost(error)) from None
        except WrongCondition as error:
            place = f"where of {SECTION} {rule.keys}"
            self.names.check_query(error.error, rule.where, place, self.target, error.skipped)
            raise AssertionError(self.unread(rule, error.error, limits)) from None
        except psycopg.Error as error:
            raise AssertionError(self.unread(rule, error, limits)) from None
        except (NotCompared, TooMuch) as error:
            path = self.names.criteria.path
            remedy = remedy_for("coherence", "elsewhere", path=path)
            if isinstance(error, TooMuch):
                remedy = remedy_for("coherence", "too_much", path=path)
            what = f"keys like {rule.keys} were not compared: {error}"
            raise CouldNotRun(what, checked=[server.source], remedy=remedy) from None
        except redis.exceptions.NoPermissionError:
            what = f"Redis at {server.where} does not let its user read keys like {rule.keys}"
            remedy = remedy_for("coherence", "no_right", rights=RIGHTS)
            raise CouldNotRun(what, checked=[server.source], remedy=remedy) from None
        except redis.RedisError as error:
            raise explain(error, server, f"reading keys like {rule.keys}") from None

    def lost(self, error: NotInDatabase) -> str:
        """Message on a table or column that the database lacks; raises CriteriaError for a slip."""
        if not error.column:
            return self.names.lost_table(error.table, self.relations, SECTION)
        self.names.check_column(error.table, error.column, error.types, SECTION)
        remedy = remedy_for("coherence", "lost_column", path=self.names.criteria.path)
        return message(f"{error}, which {SECTION} names", remedy=remedy)

    def unread(self, rule: Rule, error: psycopg.Error, limits: Limits) -> str:
        """Message on rows that cannot be compared; raises CouldNotRun where our means failed."""
        why = reason_of(error, limits.query, rule.where)
        what = f"rows of {rule.table} cannot be compared with keys: {why}"
        if error.sqlstate and error.sqlstate.startswith(OUR_MEANS):
            raise CouldNotRun(what, remedy=remedy_for("coherence", "no_room")) from None
        return message(what, remedy=remedy_for("coherence", "unread"))


def example_lines(found: Found) -> Iterator[str]:
    """Lines for the terminal with the names of some keys that do not agree: row data."""
    for kind, keys in found.examples.items():
        names = [shown(key) for key in keys]
        more = ["and more"] if getattr(found, kind) > len(keys) else []
        yield f"{found.rule.name}: {kind.replace('_', ' ')}: {', '.join([*names, *more])}"


def shown(key: bytes) -> str:
    """The name of a key on one line, cut where it is long."""
    text = printable(key.decode(errors="backslashreplace"))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
