"""What a drill leaves beside its reports: the settings of it, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.config.options import OPTIONS, usage_error
from restore_drill.config.values import count_of, duration_of, is_there, path_of, scheme_of
from restore_drill.core.units import parse_bytes, parse_duration

KEEP = ("never", "on-failure", "always")
PEM = "-----BEGIN "
"""What a key begins with, and no path."""
KEY_TEXT = re.compile(r"[\w+/=-]{40}")
"""Text as long as a key: the inside of a PEM, or a PEM that was encoded again."""


@dataclass(frozen=True)
class Leaves:
    """`keep_reports` runs keep their folders; `sign` is the key for result.json, or its file.

    `keep` says when the restored server stays up (KEEP), for `keep_for` seconds.
    `metrics_file` and `pushgateway` (a URL, which may hold a password) get the drill's metrics.
    `cache` is the folder for backups of other machines, of which `cache_size` bytes are kept.
    """

    keep_reports: int
    sign: Path | str | None = field(repr=False)
    metrics_file: Path | None
    pushgateway: str | None = field(repr=False)
    keep: str
    keep_for: float
    cache: Path | None
    cache_size: int


def leaves_of(given: dict[str, str | None], here: Path) -> Leaves:
    """What is `given`; relative paths count from `here`."""
    return Leaves(
        keep_reports=count_of(given, "keep_reports") or int(OPTIONS["keep_reports"].default or 0),
        sign=key_of(given, here),
        metrics_file=metrics_file_of(given, here),
        pushgateway=pushgateway_of(given),
        keep=keep_of(given),
        cache=path_of(given, "cache", here),
        cache_size=size_of(given),
        keep_for=duration_of(given, "keep_for") or parse_duration(str(OPTIONS["keep_for"].default)),
    )


def key_of(given: dict[str, str | None], here: Path) -> Path | str | None:
    """The key itself, as a secret of a CI has it in the variable, or the path of its file."""
    text = (given["sign"] or "").strip().strip("\"'").strip()
    if PEM in text:
        return text.replace("\\n", "\n")  # as a secret on one line is often kept
    if KEY_TEXT.search("".join(text.split())) and not is_there(here, text):
        raise usage_error(
            "sign",
            "is neither a file nor a key in PEM (not shown: it may be a key)",
            "name the file, or set the variable to all of it, with its BEGIN and END lines",
        )
    return path_of(given, "sign", here)


def metrics_file_of(given: dict[str, str | None], here: Path) -> Path | None:
    """The file for the metrics, under a name that the collector reads."""
    path = path_of(given, "metrics_file", here)
    if path is not None and path.suffix != ".prom":
        what = f"names {path}, which node_exporter would not read"
        raise usage_error("metrics_file", what, "give it a name that ends with .prom")
    return path


def pushgateway_of(given: dict[str, str | None]) -> str | None:
    """The Pushgateway's URL, its scheme checked; its text is never repeated in an error."""
    url = given["pushgateway"]
    if url is not None and scheme_of(url) not in ("http", "https"):
        raise usage_error(
            "pushgateway",
            "is not the URL of a Pushgateway (not shown: it may hold a password)",
            "write http://host:9091 or https://user:password@host",
        )
    return url


def keep_of(given: dict[str, str | None]) -> str:
    """When the restored server stays up; only one of our own, that nobody else ends, can."""
    keep, target = given["keep"] or KEEP[0], given["target"] or "embedded"
    if keep not in KEEP:
        raise usage_error("keep", f"cannot be {keep!r}", "choose one of " + ", ".join(KEEP))
    if keep != KEEP[0] and target == "database":
        what = f"cannot be {keep}: the target {target} is not kept"
        raise usage_error(
            "keep", what, "leave it out, or drill with --target embedded or container"
        )
    return keep


def size_of(given: dict[str, str | None]) -> int:
    """Bytes that the cache may have."""
    try:
        return parse_bytes(given["cache_size"] or str(OPTIONS["cache_size"].default))
    except ValueError as error:
        raise usage_error("cache_size", str(error), "write 500MB, 20GB or 1.5TB") from None
