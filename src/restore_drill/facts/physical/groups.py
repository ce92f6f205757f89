"""What is read together: a table with its B-tree indexes, else each file by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from restore_drill.facts.physical.files import BATCH, FORKS, Fork
from restore_drill.facts.physical.relations import UNLOGGED, Relation

BEGUN = ("i", "S")
"""Kinds of relations that always hold a page: an index its root, a sequence its row."""


@dataclass
class Group:
    """What is read together: a table with its B-tree indexes, or a single other file.

    The first page of `begun` files is written when they are made, and is never all zero.
    """

    forks: list[tuple[Fork, str]] = field(default_factory=list)
    begun: list[tuple[Fork, str]] = field(default_factory=list)
    table: tuple[Fork, Relation] | None = None
    indexes: list[tuple[Fork, Relation]] = field(default_factory=list)
    map: tuple[Fork, str] | None = None

    @property
    def all_forks(self) -> list[Fork]:
        """All that is read for it."""
        single = [each[0] for each in (self.table, self.map) if each]
        return [*single, *(fork for fork, _ in (*self.forks, *self.begun, *self.indexes))]

    @property
    def pages(self) -> int:
        """Pages of all of it."""
        return sum(fork.pages for fork in self.all_forks)


def groups_of(files: Mapping[str, Fork], relations: Iterable[Relation]) -> list[Group]:
    """All `files` in groups, the largest first; what no relation owns is named by its path."""
    known = {each.path: each for each in relations if each.path}
    tables = {(each.prefix, each.oid) for each in known.values() if each.has_rows}
    groups: dict[object, Group] = defaultdict(Group)
    for path, fork in files.items():
        relation = known.get(fork.relation)
        if relation and not relation.has_pages:
            continue
        if relation is None or fork.kind:
            title = relation.title if relation else f"file {path}"
            if relation and fork.kind == "vm":
                groups[relation.prefix, relation.oid].map = (fork, FORKS[fork.kind] + title)
            else:
                groups[fork.relation].forks.append((fork, FORKS[fork.kind] + title))
        elif relation.has_rows and relation.persistence != UNLOGGED:
            groups[relation.prefix, relation.oid].table = (fork, relation)
        elif is_followed(relation) and (relation.prefix, relation.table) in tables:
            groups[relation.prefix, relation.table].indexes.append((fork, relation))
        elif relation.kind in BEGUN and relation.persistence != UNLOGGED:
            groups[fork.relation].begun.append((fork, relation.title))
        else:
            groups[fork.relation].forks.append((fork, relation.title))
    return sorted(groups.values(), key=lambda each: -each.pages)


def left_over(files: Mapping[str, Fork], relations: Iterable[Relation]) -> list[Fork]:
    """Files that no relation owns, in folders of databases whose relations are all known.

    One that holds nothing is of a relation that was just dropped.
    """
    paths = {each.path for each in relations if each.path}
    folders = {path.rpartition("/")[0] for path in paths}
    return [
        fork
        for fork in files.values()
        if fork.relation not in paths and fork.path.rpartition("/")[0] in folders and fork.pages
    ]


def is_followed(relation: Relation) -> bool:
    """Whether it is an index whose entries are held against its table.

    One that is not ready, left by a DROP INDEX CONCURRENTLY, is cleaned by no VACUUM; of unlogged
    ones a CHECKPOINT writes nothing, so that index and table may be of different times.
    """
    is_kept = relation.is_ready and relation.persistence != UNLOGGED
    return relation.is_index and relation.method == "btree" and is_kept


def bundles_of(groups: Iterable[Group]) -> list[list[Group]]:
    """`groups` as they are read one after the other: a large one alone, small ones together."""
    found: list[list[Group]] = []
    small: list[Group] = []
    for group in groups:
        if group.pages > BATCH:
            found.append([group])
            continue
        small.append(group)
        if sum(each.pages for each in small) > BATCH:
            found.append(small)
            small = []
    return [*found, small] if small else found
