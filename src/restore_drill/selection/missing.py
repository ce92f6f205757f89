"""Which series that drills have seen are no longer in a place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from restore_drill.core.printable import printable
from restore_drill.selection.candidate import Candidate, Series


class Expected(NamedTuple):
    """Names of series that the history has from here: of any backup that was `drilled`.

    Of those `proved` one has passed; of those `renewed` there were two or more. Those `direct` lay
    in the folder of the place itself, whose name they begin with.
    """

    renewed: Collection[str] = ()
    proved: Collection[str] = ()
    drilled: Collection[str] = ()
    direct: Collection[str] = ()


def none_expected() -> Expected:
    """No series: nothing is known of what was drilled before."""
    return Expected()


@dataclass(frozen=True)
class There:
    """What the series that lie in a place are called, `whole` and without the folder of the place.

    All names are printable, as a history has them.
    """

    whole: set[str] = field(default_factory=set)
    direct: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, series: Iterable[Series]) -> There:
        """The names of `series`."""
        found = cls()
        for one in (one for each in series for one in each):
            names = set(map(printable, names_of(one)))
            found.whole.update(names)
            found.direct.update(
                below_place(each) for each in names if not one.below or each.startswith("/")
            )
        return found

    def missing(self, names: Iterable[str], direct: Collection[str]) -> list[str]:
        """Those of `names` of which nothing is left.

        One of those that lay `direct`ly in the place is there whatever the folder is called now.
        Any other folder tells databases apart: `auth/db` is not there where `shop/db` is.
        """
        return sorted(
            name
            for name in names
            if printable(name) not in self.whole
            and not (
                (name in direct or name.startswith("/"))
                and below_place(printable(name)) in self.direct
            )
        )


def below_place(name: str) -> str:
    """The name of a series without its first folder, which may have been renamed as a whole."""
    return name.partition("/")[2]


def names_of(candidate: Candidate) -> set[str]:
    """What the series of `candidate` is called, alone or beside another database's."""
    return {candidate.series, candidate.scheme, f"{candidate.scheme}@{candidate.database}"}
