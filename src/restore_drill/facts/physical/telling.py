"""What could not be checked of a recovered server, and what may be damage or not."""

from __future__ import annotations

from collections.abc import Iterator

from restore_drill.core.units import show_count
from restore_drill.facts.physical.amcheck import unexamined
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.relations import UNLOGGED
from restore_drill.facts.survey import some

NO_CHECKSUMS = (
    "the cluster has none: a flipped bit in a value that no index holds cannot be seen "
    "(pg_checksums --enable, while the source is stopped)"
)
NOT_HELD = "their entries are not held against rows, which is done for B-tree indexes"
NO_ORDERS = "the versions of its collations could not be read: {}"


def tell(found: Examination) -> None:
    """Add to `found` what is to be told."""
    found.told += what_is_open(found)
    found.warnings += (each.told for each in found.pages.zero if not each.decided)
    found.unlogged += sorted(
        each.full_name
        for database in found.databases
        for each in database.relations
        if each.persistence == UNLOGGED and each.kind == "r"
    )
    found.warnings += shorter(found)
    if strays := found.pages.strays:
        found.warnings.append(
            f"no relation owns {show_count(len(strays), 'file')}: {some(strays)}: a crash leaves "
            "such files, or the catalog has lost rows"
        )


def what_is_open(found: Examination) -> Iterator[tuple[str, str]]:
    """What could not be checked, and why."""
    if not found.cluster.checksums_on:
        yield "checksums of pages", NO_CHECKSUMS
    for each in found.said:
        if not each.is_damage:
            yield f"storage of {each.relation.title}", each.what
    for database in found.databases:
        if database.why_no_orders:
            yield f"order of text in {database.name}", NO_ORDERS.format(database.why_no_orders)
        for method, names in unexamined(database.relations, database.target.major).items():
            what = f"storage of {show_count(len(names), 'relation')}: {some(names)}"
            why = f"amcheck of PostgreSQL {database.target.major} does not read {method}"
            yield what, why
        others = [
            each.full_name
            for each in database.relations
            if each.is_index and each.method != "btree"
        ]
        if others:
            yield f"{show_count(len(others), 'index', 'indexes')}: {some(others)}", NOT_HELD


def shorter(found: Examination) -> Iterator[str]:
    """Tables without an index that have fewer pages than VACUUM has counted."""
    indexed = {
        (each.prefix, each.table)
        for database in found.databases
        for each in database.relations
        if each.method == "btree"
    }
    for database in found.databases:
        for each in database.relations:
            pages = found.pages.sizes.get(each.path)
            is_short = pages is not None and each.has_rows and pages < each.pages
            if is_short and each.persistence == "p" and (each.prefix, each.oid) not in indexed:
                yield (
                    f"{each.title} has {pages:,} pages, and {each.pages:,} when it was last "
                    "vacuumed or analyzed: loaded statistics may say so, or its file was cut"
                )
