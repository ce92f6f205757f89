"""Every way to restore, forced, makes what psql makes; `make corpus ARGS=ways` has all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from restore_drill.backups.model import Backup, Contents
from restore_drill.restore.model import Restoration
from restore_drill.servers.model import Target
from tests.corpus.lab import Lab
from tests.corpus.ways.compared import Compared
from tests.corpus.ways.forms import FORMS
from tests.corpus.ways.mistakes import MISTAKES
from tests.corpus.ways.ways import WAYS, Way, serial
from tests.helpers.shop import USUAL, Shops, fill_shop

NAMES = {form.name: form for form in FORMS}
FEW = ("a transaction that fails", "a row twice, at 50%", "cut in a row of a_first, at 50%")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Databases of the corpus on the usual major."""
    folder = tmp_path_factory.mktemp("ways")
    with closing(Shops(folder)) as shops:
        yield Lab(shops, folder / "lab", USUAL)


def test_every_way_makes_the_same_database(lab: Lab) -> None:
    """Values that are hard to write, and rows bound to an order, come back the same by all ways."""
    compared = Compared(lab)

    compared.database("insert_types", [NAMES["rows of 100"]])
    compared.database("insert_order", [NAMES["custom, inserts"]])
    # Those that only rows of COPY take.
    compared.ways = [WAYS[0], *(way for way in WAYS if not compared.found.taken[way.name])]
    compared.database("insert_order", [NAMES["plain"]])

    assert compared.found.lines == []
    never = [way.name for way in WAYS if not compared.found.taken[way.name]]
    assert never == [], "nothing was proved of these"


def test_every_way_meets_the_same_mistakes(lab: Lab) -> None:
    """As many errors as psql meets, at the same lines, and the same database behind them."""
    some = [each for each in enumerate(MISTAKES) if each[1].name.startswith(FEW)]
    assert len(some) >= len(FEW)
    compared = Compared(lab, [WAYS[0], *(way for way in WAYS if way.heart), WAYS[-1]])

    compared.mistakes(some, 1)

    assert compared.found.lines == []


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("DELETE FROM public.ones WHERE t = ''", "36 rows, now 35"),
        ("UPDATE public.ones SET t = NULL WHERE t = ''", "COPY public.ones"),
        ("ALTER TABLE public.traps DROP CONSTRAINT traps_pkey", "traps_pkey"),
        ("ALTER TABLE public.ones ADD COLUMN x integer; ALTER TABLE public.ones DROP COLUMN x",
         "column public.ones.2"),
    ],
    ids=["row", "value", "key", "left behind"],
)  # fmt: skip
def test_a_way_that_is_not_the_same_is_told(lost: str, told: str, lab: Lab) -> None:
    """What pg_dump writes, and what only the catalog knows."""

    def losing(target: Target, backup: Backup, contents: Contents) -> Restoration:
        done = serial(target, backup, contents)
        fill_shop(target, lost)
        return done

    compared = Compared(lab, [WAYS[0], Way("losing", losing, "^never")])

    compared.database("insert_text", [NAMES["plain"]])

    assert compared.found.wrong == {"losing": 1}
    assert told in "\n".join(compared.found.lines)
    assert compared.found.taken["losing"] == 0, "its word does not match"


def test_a_way_that_swallows_an_error_is_told(lab: Lab) -> None:
    """An error less than psql meets is as wrong as a row less."""

    def silent(target: Target, backup: Backup, contents: Contents) -> Restoration:
        done = serial(target, backup, contents)
        done.errors.clear()
        return done

    compared = Compared(lab, [WAYS[0], Way("silent", silent, "")])

    compared.mistakes([(0, each) for each in MISTAKES if each.name.startswith("a division")][:1], 1)

    assert compared.found.wrong == {"silent": 1}
