"""What `restore-drill status --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restore_drill.watch.judgement import Series
from restore_drill.watch.look import Look, titles_of


def for_machines(looks: Sequence[Look]) -> dict[str, Any]:
    """`ok`, `problem`, `last_passed_at`, the series, and the drills, oldest first.

    `last_passed_at` is that of the series that passed longest ago, null where one never did; a
    series that was retired is none of them.
    """
    found = titles_of(looks)
    expected = [each for _, each, _ in found if not is_retired(each)]
    passes = [each.last_pass.at for each in expected if each.last_pass]
    is_any = passes and len(passes) == len(expected)
    return {
        "schema": 1,
        "ok": not any(each.problem for _, each, _ in found),
        "problem": summed(looks),
        "last_passed_at": min(passes).isoformat() if is_any else None,
        "series": [of_series(look, each) for look, each, _ in found],
        "kept": [
            {
                "history": look.history.name,
                "backups": len(look.kept.names),
                "unproved": look.kept.unproved,
                "failing": look.kept.failing,
            }
            for look in looks
            if look.kept
        ],
        "drills": [
            drill.as_json() | ({"history": look.history.name} if looks[1:] else {})
            for look in looks
            for drill in look.history.drills
        ],
        "skips": [skip.as_json() for look in looks for skip in look.history.skips],
    }


def of_series(look: Look, series: Series) -> dict[str, Any]:
    """One series."""
    last = series.last_pass
    return {
        "name": series.name,
        "history": look.history.name,
        "ok": not series.problem,
        "problem": series.what,
        "cause": series.problem.cause if series.problem else None,
        "last_passed_at": last and last.at.isoformat(),
        "drills": len(series.drills),
        "passed_share": series.share,
        "missed": series.missed,
        "skip": series.skip and series.skip.as_json(),
    }


def is_retired(series: Series) -> bool:
    """Whether no drill of it is expected any more."""
    return series.skip is not None and series.skip.retires


def summed(looks: Sequence[Look]) -> str:
    """The problems of all series in a line, each with its title where there are several."""
    found = titles_of(looks)
    return "; ".join(
        f"{title}: {each.what}" if found[1:] else each.what
        for _, each, title in found
        if each.problem
    )
