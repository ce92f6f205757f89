"""One finding a cause: what went with a lost table, column or function is no other finding."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from restore_drill.drift.findings import CHANGED, LOST, Finding
from restore_drill.facts.schema.model import DriftFacts, Objects

RELATIONS = ("table", "view", "materialized view")
OWNED = ("owner of", "grant on")
"""Kinds of which many may change at once, and for one cause."""


class Cause:
    """A lost or changed object that others may have gone with."""

    def __init__(self, finding: Finding) -> None:
        """Know the names by which others mention it."""
        self.finding = finding
        self.name = unquoted(finding.name).partition("(")[0]
        self.relation, _, self.column = self.name.rpartition(".")

    @cached_property
    def named(self) -> re.Pattern[str]:
        """Its qualified name as a word of its own; of a column, that of its relation."""
        name = self.relation if self.finding.kind == "column" else self.name
        if self.finding.kind == "schema":
            return re.compile(rf"(?<![\w.]){re.escape(name)}\.|^schema {re.escape(name)}(?!\w)")
        return re.compile(r"(?<![\w.])" + re.escape(name) + r"(?!\w)")

    @cached_property
    def word(self) -> re.Pattern[str]:
        """A column's own name as a word."""
        return re.compile(r"(?<!\w)" + re.escape(self.column) + r"(?!\w)")

    @cached_property
    def words(self) -> list[str]:
        """Words that stand in every text which it explains; none where that need not be so."""
        if self.finding.kind in ALONE:
            return []
        return WORD.findall(self.relation if self.finding.kind == "column" else self.name)

    def explains(self, other: Finding, text: str) -> bool:
        """Whether `other`, whose name and definition make `text`, went with it."""
        mine = self.finding
        kind, name = other.kind, unquoted(other.name)
        if mine.kind in ALONE:
            return kind in OWNED and name.partition(" to ")[0].endswith(unquoted(mine.name))
        if mine.kind == "constraint":
            schema = self.relation.rpartition(".")[0]
            return kind == "index" and name == f"{schema}.{self.column}"
        if mine.kind in ("publication", "server"):
            return kind.startswith(("published", "user mapping")) and name.startswith(
                (f"{self.name}: ", f"{self.name} for ")
            )
        if mine.kind == "column":
            about = self.named.search(text) is not None and self.word.search(text) is not None
            return about and (mine.what == LOST or kind == "sequence")
        if mine.what == CHANGED:
            return mine.kind in RELATIONS and kind == "column" and name.startswith(f"{self.name}.")
        return self.named.search(text) is not None


class Causes:
    """All causes, by a word: to try each of them on everything that is lost takes a square's time.

    Of each cause that is the word which the fewest others have.
    """

    def __init__(self, causes: list[Cause]) -> None:
        """Know the words of `causes`."""
        self.causes = causes
        self.by_word: defaultdict[str, list[int]] = defaultdict(list)
        counts = Counter(word for each in causes for word in {*each.words})
        for place, each in enumerate(causes):
            word = min(each.words, key=lambda word: counts[word], default="")
            self.by_word[word].append(place)

    def of(self, text: str) -> Iterator[Cause]:
        """Those that may explain something whose name and definition make `text`, in order."""
        words = {"", *WORD.findall(text)} & self.by_word.keys()
        places = sorted(place for word in words for place in self.by_word[word])
        return (self.causes[place] for place in places)


WORD = re.compile(r"\w+")
ALONE = ("object", "event trigger", "foreign-data wrapper", "statistics object",
         "text search configuration", "text search dictionary", "collation")  # fmt: skip
"""Kinds of objects with which nothing goes but their owner and grants."""

PRINCIPAL = {LOST: (*ALONE, "schema", *RELATIONS, "function", "sequence", "type", "column",
                    "constraint", "publication", "server"),
             CHANGED: ("view", "materialized view", "column")}  # fmt: skip
"""Kinds of objects that others go with, by what has become of them."""


def by_cause(found: Iterable[Finding], was: DriftFacts) -> list[Finding]:
    """`found` with those that are consequences of others reported with these."""
    listed = list(found)
    causes = Causes([Cause(each) for each in listed if each.kind in PRINCIPAL.get(each.what, ())])
    parents: dict[str, Finding] = {}
    for each in listed if causes.causes else ():
        text = text_of(each, was.objects)
        for cause in causes.of(text):
            mine = cause.finding
            if mine is each or is_below(mine, each, parents):
                continue
            if cause.explains(each, text):
                parents[each.title] = mine
                break
    return [*grouped(with_consequences(listed, parents))]


def is_below(finding: Finding, other: Finding, parents: dict[str, Finding]) -> bool:
    """Whether `other` is a cause of `finding` by now."""
    while finding.title in parents:
        finding = parents[finding.title]
        if finding is other:
            return True
    return False


def with_consequences(listed: list[Finding], parents: dict[str, Finding]) -> Iterator[Finding]:
    """The causes, each with what went with it."""
    below: dict[str, list[str]] = defaultdict(list)
    for each in listed:
        root = each
        while root.title in parents:
            root = parents[root.title]
        if root is not each:
            below[root.title].append(each.title)
    for each in listed:
        if each.title not in parents:
            yield replace(each, with_it=tuple(below[each.title]))


def grouped(listed: Iterable[Finding]) -> Iterator[Finding]:
    """Owners that have changed alike, and grants that a role has lost, as one finding."""
    groups: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for each in listed:
        key: tuple[str, ...] = (each.what, each.title)
        if each.kind in OWNED:
            same = each.name.rpartition(" to ")[2] if each.kind == "grant on" else each.description
            key = (each.what, each.kind, same)
        groups[key].append(each)
    for first, *others in groups.values():
        more = [each.title for each in others]
        yield replace(first, with_it=(*first.with_it, *more)) if more else first


def text_of(finding: Finding, objects: Objects) -> str:
    """Name and definition of an object, in which others may be mentioned."""
    definition = objects.get(finding.kind, {}).get(finding.name, {})
    return unquoted(" ".join([finding.name, *map(str, definition.values())]))


def unquoted(text: str) -> str:
    """`text` without the quotes of SQL names."""
    return text.replace('"', "")
