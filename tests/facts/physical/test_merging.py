"""Facts of several databases as one: names of three parts, findings by what they are."""

from __future__ import annotations

from restore_drill.facts.checks.large_objects import LARGE_OBJECTS
from restore_drill.facts.checks.states import INVALID_INDEXES
from restore_drill.facts.checks.storage import STORAGE, Storage
from restore_drill.facts.checks.views import UNRESOLVED_VIEWS
from restore_drill.facts.model import Facts
from restore_drill.facts.physical.facts import without_libraries
from restore_drill.facts.physical.merging import merge
from restore_drill.facts.records import Constraint, ForeignKey, Sequence

NO_LIBRARY = 'could not access file "$libdir/postgis-3": No such file or directory'


def facts_of(orphans: int = 0, why: str = "") -> Facts:
    """Facts of a database with a table `cards`."""
    return Facts(
        rows={"public.cards": 3},
        partitioned=frozenset({"public.parts"}),
        unreadable={"public.lost": "no"},
        foreign_keys=(ForeignKey("key", "public.cards", ("a",), "public.artists", orphans, why),),
        constraints=(Constraint("public.cards", "check", "rule", 0),),
        sequences=(Sequence("public.s", "public.cards.id", 4, 3, 1, table="public.cards"),),
        notes=("a note",),
        not_checked=(("what", "why"),),
        values={
            LARGE_OBJECTS: 3,
            STORAGE: Storage(("table public.cards: x",)),
            INVALID_INDEXES: ("public.i on cards",),
            UNRESOLVED_VIEWS: {"public.v": why or "gone"},
        },
    )


def test_names_of_another_database_have_three_parts() -> None:
    """A name with a dot stands in quotes; the first database's are as they always were."""
    found = merge(facts_of(), {"billing": facts_of(2), "a.b": Facts(rows={"public.t": 1})})

    assert found.rows == {
        "public.cards": 3, "billing.public.cards": 3, '"a.b".public.t': 1,
    }  # fmt: skip
    assert found.partitioned == {"public.parts", "billing.public.parts"}
    assert set(found.unreadable) == {"public.lost", "billing.public.lost"}
    assert [(key.table, key.referenced, key.orphans) for key in found.foreign_keys] == [
        ("public.cards", "public.artists", 0),
        ("billing.public.cards", "billing.public.artists", 2),
    ]
    assert [each.name for each in found.sequences] == ["public.s", "billing.public.s"]
    names = ("public.cards", "billing.public.cards")
    assert [len(found.foreign_keys_of(name)) for name in names] == [1, 1]
    assert found.broken_in("billing.public.cards") == [found.foreign_keys[1]]
    assert found.notes == ("a note", "database billing: a note")
    assert found.not_checked == (("what", "why"), ("database billing: what", "why"))


def test_what_a_check_has_found_is_put_together_by_its_kind() -> None:
    """Counts add up, also equal ones; names get their database."""
    found = merge(facts_of(), {"billing": facts_of()})

    assert found.of(LARGE_OBJECTS) == 6
    assert found.of(STORAGE).damage == ("table public.cards: x",) * 2
    assert found.of(INVALID_INDEXES) == ("public.i on cards", "billing: public.i on cards")
    assert found.of(UNRESOLVED_VIEWS) == {"public.v": "gone", "billing.public.v": "gone"}


def test_facts_of_another_database_stand_where_the_first_cannot_be_read() -> None:
    """Its checks have found nothing, and theirs something."""
    found = merge(Facts(rows={}), {"billing": facts_of()})

    assert found.rows == {"billing.public.cards": 3}
    assert found.of(LARGE_OBJECTS) == 3


def test_a_library_that_is_not_here_is_no_finding() -> None:
    """The backup holds none, and what calls it works where it was taken."""
    found = without_libraries(facts_of(why=NO_LIBRARY))

    assert found.foreign_keys == ()
    assert found.of(UNRESOLVED_VIEWS) == {}
    assert [what for what, _ in found.not_checked] == ["what", "public.v", "public.cards: key"]
    assert all(NO_LIBRARY in why for _, why in found.not_checked[1:])
