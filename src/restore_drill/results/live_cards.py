"""Cards of a page about a live database and its Redis: what became of it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from restore_drill.core.printable import printable
from restore_drill.results.words import describe

MOST_LINES = 12
"""So many lost objects are named; result.json has all."""
NOT_KNOWN = "not known"

Pairs = list[tuple[str, str]]


def promotion_card(promotion: Mapping[str, Any] | None) -> Pairs:
    """Whether the restored database took the live name, what was lost, and how to go back."""
    if not promotion:
        return []
    promoted, kept = promotion["promoted"], promotion.get("kept_quoted")
    old = [f"DROP DATABASE {kept}"] if promoted and kept else None
    apart = ("promoted", "live_database", "kept_quoted", "lost", "next")
    return [
        ("promoted", {True: "yes", False: "no"}.get(promoted, NOT_KNOWN)),
        ("live database", in_lines(promotion["live_database"].splitlines())),
        *describe({key: value for key, value in promotion.items() if key not in apart}),
        *lines_pair("next", promotion.get("next")),
        *lines_pair("accepted loss", promotion.get("lost") if promoted else None),
        *lines_pair("to drop the old one", old),
    ]


def snapshot_card(snapshot: Mapping[str, Any] | None) -> Pairs:
    """What the live database holds now, the snapshot that was taken of it, and how to go back."""
    if not snapshot:
        return []
    apart = ("live_database", "lost")
    lost = snapshot.get("lost")
    return [
        *lines_pair("live database", (snapshot.get("live_database") or "").splitlines()),
        *([] if snapshot.get("path") else [("path", "no snapshot was taken")]),
        *describe({key: value for key, value in snapshot.items() if key not in apart}),
        *lines_pair("not as before the drill", ["nothing"] if lost == [] else lost),
    ]


def lines_pair(label: str, lines: Sequence[str] | None) -> Pairs:
    """`label` with `lines`; nothing without any."""
    return [(label, in_lines(lines))] if lines else []


def in_lines(lines: Sequence[str]) -> Markup:
    """`lines` one below the other, the first of many; each is one line, whatever it names."""
    more = len(lines) - MOST_LINES
    shown = [*lines[:MOST_LINES], *([f"and {more:,} more, in result.json"] if more > 0 else [])]
    return Markup("<br>").join(printable(line.strip()) for line in shown)


def coherence_card(coherence: Mapping[str, Any] | None) -> Pairs:
    """What each rule about keys and rows has found, also in the user's own Redis."""
    found = coherence or {"rules": [], "live": []}
    return [(each["rule"], each["summary"]) for each in found["rules"]] + [
        (f"{each['rule']}, {each['redis']}", each["summary"]) for each in found["live"]
    ]
