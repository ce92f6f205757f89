"""Reads the facts: one pool of read-only connections, what takes longest first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial

import psycopg

from restore_drill.backups.model import Contents
from restore_drill.core.server_errors import error_text
from restore_drill.facts.catalog_reader import CatalogReader
from restore_drill.facts.check import all_checks
from restore_drill.facts.checks import storage
from restore_drill.facts.copied import Copied
from restore_drill.facts.entries import lost_entries, schema_dump
from restore_drill.facts.fingerprints import Fingerprinting
from restore_drill.facts.model import Facts
from restore_drill.facts.pool import Pool
from restore_drill.facts.references import plan_foreign_keys
from restore_drill.facts.rows import plan_rows
from restore_drill.facts.schema.reading import Shape, Wanted
from restore_drill.facts.sequences import plan_sequences
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.survey import Survey
from restore_drill.facts.trust import plan_uniques
from restore_drill.facts.versions import version_notes
from restore_drill.servers.model import Target


def read_facts(
    target: Target,
    contents: Contents | None,
    jobs: int,
    progress: Callable[[str], None],
    *,
    heapallindexed: bool = False,
    as_major: int | None = None,
    unanalyzed: frozenset[str] = frozenset(),
    drifting: Wanted | None = None,
    copied: Copied | None = None,
) -> Facts:
    """All facts of the database of `target`, and which objects of `contents` it lacks.

    `heapallindexed`: large indexes that were just built are checked in full too; `as_major`: the
    fingerprint is compared with one of that version; `unanalyzed`: tables where ANALYZE has failed.
    `copied`: it came as files, and its storage has been examined.
    """
    with ExitStack() as stack:
        # First, since a small database waits for nothing longer.
        dump = stack.enter_context(schema_dump(target) if contents else nullcontext())
        opened = copied.opened if copied else open_session
        connection = stack.enter_context(closing(opened(target)))
        reader = CatalogReader(connection)
        survey = Survey(reader, contents, target.major, unanalyzed=unanalyzed, copied=copied)
        survey.in_full = heapallindexed or copied is not None
        if not copied:
            see_for_itself(survey, target)
        reading = Reading(survey, as_major, drifting)
        others = (ready_session(target, survey) for _ in range(jobs - 1))
        pool = stack.enter_context(closing(Pool([connection, *others])))
        lost = None
        if dump and contents:
            lost = survey.plan.add_aside(partial(lost_entries, contents, dump), dump.kill)
        survey.plan.run(pool, progress)
    missing, why_not = lost.result() if lost else ((), "")
    facts = replace(reading.facts(), missing=missing, undumpable=why_not)
    return reading.with_checks(facts)


def see_for_itself(survey: Survey, target: Target) -> None:
    """Note of what was restored here how it can be examined, and in which versions."""
    connection = survey.reader.connection
    survey.unexamined = storage.why_not(target, connection)
    survey.notes += versions_or_why_not(connection, target.major)


def ready_session(target: Target, survey: Survey) -> Connection:
    """Session of `target` in which its storage can be examined, where that is possible at all."""
    if survey.copied:
        return survey.copied.opened(target)
    session = open_session(target)
    if not survey.unexamined:
        storage.prepare(session, target.major)
    return session


class Reading:
    """What is planned to be read of the database of `survey`; the facts, once the plan has run."""

    def __init__(self, survey: Survey, as_major: int | None, drifting: Wanted | None) -> None:
        """Read the catalog, and plan the rest."""
        connection = survey.reader.connection
        self.survey = survey
        self.why_no_fingerprint = ""
        is_drifting = drifting is not None
        self.contents = self.fingerprinting(as_major, drifting=is_drifting) if as_major else None
        self.rows = plan_rows(survey, self.contents.tables if self.contents else {})
        self.foreign_keys = plan_foreign_keys(survey)
        self.uniques = plan_uniques(survey)
        self.sequences = plan_sequences(survey)
        self.checks = {check: check.plan(survey) for check in all_checks()}
        self.shape = Shape(survey.plan, connection, drifting) if drifting else None
        if self.shape and not self.contents:
            self.shape.read_definitions()

    def fingerprinting(self, as_major: int, *, drifting: bool) -> Fingerprinting | None:
        """What is read for a fingerprint, its views planned; None where it cannot be."""
        connection, plan = self.survey.reader.connection, self.survey.plan
        tables = self.survey.all_tables
        try:
            found = Fingerprinting(
                plan, connection, tables, as_major=as_major, of_copy=True, drifting=drifting
            )
        except psycopg.Error as error:
            if connection.broken:
                raise
            self.why_no_fingerprint = error_text(error)
            return None
        for view in found.views:
            found.add(view)
        return found

    def facts(self) -> Facts:
        """What many criteria share."""
        passes = self.rows()
        rows, unreadable = passes.count()
        found = Facts(
            rows=rows,
            partitioned=frozenset(e.full_name for e in passes.tables if e.is_partitioned),
            unreadable=unreadable,
            foreign_keys=self.foreign_keys(),
            constraints=(*passes.constraints, *self.uniques()),
            sequences=self.sequences(),
            why_no_fingerprint=self.why_no_fingerprint,
        )
        if self.contents:
            fingerprint = None if self.contents.error else self.contents.fingerprint(passes.content)
            why_not = self.contents.error
            found = replace(found, fingerprint=fingerprint, why_no_fingerprint=why_not)
        return self.shape.added_to(found, self.contents) if self.shape else found

    def with_checks(self, facts: Facts) -> Facts:
        """`facts` with those of all checks, with notes and with what was not checked."""
        values = {check: finish(facts) for check, finish in self.checks.items()}
        unread = self.survey.reader.unread
        parts = ((part, f"the catalog could not be read: {why}") for part, why in unread.items())
        return replace(
            facts,
            values=values,
            unread=unread,
            notes=tuple(self.survey.notes),
            not_checked=(*self.survey.not_checked, *parts),
        )


def versions_or_why_not(connection: Connection, major: int) -> list[str]:
    """Notes on versions; no verdict hangs on them: that they cannot be read is a note too."""
    try:
        return version_notes(connection, major)
    except psycopg.Error as error:
        if connection.broken:
            raise
        return [f"versions of collations and extensions could not be read: {error_text(error)}"]
