"""Reads a fingerprint from JSON, as manifests and snapshots hold it."""

from __future__ import annotations

from typing import Any

from restore_drill.core.json_values import text, whole
from restore_drill.facts.fingerprint import (
    Fingerprint,
    LargeObjects,
    Position,
    SequenceFacts,
    TableFacts,
)
from restore_drill.facts.schema.written import written_from


def fingerprint_from(raw: dict[str, Any], *, server_version: int, encoding: str) -> Fingerprint:
    """Fingerprint in `raw`, as `as_json` gave it; KeyError, TypeError or ValueError if not.

    What has another shape than ours is refused here, and never met later.
    """
    large = raw["large_objects"]
    return Fingerprint(
        server_version=server_version,
        encoding=encoding,
        hash_probe=text(raw["hash_probe"]),
        tables={
            name: TableFacts(
                rows=whole(each["rows"]),
                content=text(each["content"]),
                columns={text(column): text(value) for column, value in each["columns"].items()},
                is_refreshed=each.get("is_refreshed") is True,
            )
            for name, each in raw["tables"].items()
        },
        partitions={
            name: tuple(map(text, leaves)) for name, leaves in raw["partitions"].items()
        },
        sequences={
            name: SequenceFacts(position(before), position(after))
            for name, (before, after) in raw["sequences"].items()
        },
        large_objects=LargeObjects(
            whole(large["count"]), whole(large["bytes"]), text(large["content"]),
            text(large["rights"]),
        ),
        schema={
            kind: {text(name): text(value) for name, value in objects.items()}
            for kind, objects in raw["schema"].items()
        },
        extensions={name: text(version) for name, version in raw["extensions"].items()},
        settings=tuple(map(text, raw["settings"])),
        left_out=tuple((text(what), text(why)) for what, why in raw["left_out"]),
        revisions={kind: whole(value) for kind, value in raw.get("revisions", {}).items()},
        written=written_from(raw.get("written")),
    )  # fmt: skip


def position(raw: Any) -> Position:
    """Position of a sequence in JSON."""
    last_value, is_called = raw
    return Position(whole(last_value), bool(is_called))
