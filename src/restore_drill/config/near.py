"""Options and variables whose names are nearly those that the drill reads: what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from restore_drill.config.alerts import ALERTS
from restore_drill.config.options import OFFLINE, OPTIONS, VARIABLES
from restore_drill.core.errors import UsageError

NEAR = 0.85
"""How much alike two names are of which one is a slip: other programs may have a DRILL_ too."""


def refuse_near_misses(names: Iterable[str]) -> None:
    """Refuse a variable whose name is nearly one of ours: it was meant, and would not count."""
    known = {OFFLINE, *ALERTS, *VARIABLES.values()}
    known |= {name for option in OPTIONS.values() for name in option.variables}
    for name in names:
        if name.startswith("DRILL_") and name not in known:
            for near in difflib.get_close_matches(name, known, n=1, cutoff=NEAR):
                raise UsageError(
                    f"{name} is not a variable of the drill; did you mean {near}? "
                    "Rename it, or unset it"
                )


def misspelled(environment: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each variable one edit away from one of VARIABLES that is not set itself.

    `DATABASE_URI` and the like may well be another program's: they are never refused.
    """
    unset = [name for name in VARIABLES.values() if name not in environment]
    return tuple(
        f"{given} is set, {name} is not: the drill reads only {name}"
        for name in unset
        for given in sorted(environment)
        if is_one_edit(given, name)
    )


def is_one_edit(given: str, name: str) -> bool:
    """Whether one letter more, less or other, or two that are swapped, make the two the same."""
    both = zip(given, name, strict=False)
    first = (at for at, (one, other) in enumerate(both) if one != other)
    at = next(first, min(len(given), len(name)))
    return given != name and (
        name[at:] in (given[at + 1 :], name[at : at + 1] + given[at:])
        or name[at + 1 :] == given[at + 1 :]
        or name[at:] == given[at : at + 2][::-1] + given[at + 2 :]
    )


def unknown_options(message: str, known: Iterable[str]) -> str:
    """Argparse's error about options that are not `known` in one line, with a near one.

    `unrecognized arguments: --bakcup X` is `unknown option --bakcup (did you mean --backup?)`;
    any other message is left as it is.
    """
    _, _, given = message.partition("unrecognized arguments: ")
    words = [word.partition("=")[0] for word in given.split() if word.startswith("-")]
    if not words:
        return message
    near = nearest_option(words[0], known)
    return f"unknown option {words[0]}" + (f" (did you mean {near}?)" if near else "")


def nearest_option(word: str, known: Iterable[str]) -> str:
    """The one of the `known` options that `word` is nearly like; empty where none is."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.7)), "")
