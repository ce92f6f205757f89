"""Where the metrics of a drill go: a file for node_exporter, and a Pushgateway."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request

from restore_drill.alerts.web import opener, without_login
from restore_drill.config.settings import Settings
from restore_drill.config.where import where
from restore_drill.core.retry import tried_again
from restore_drill.results.result import Result, write_whole
from restore_drill.watch.entry import unbegun
from restore_drill.watch.groups import UNNAMED
from restore_drill.watch.metrics import Measured, measured, metrics_of, text_of
from restore_drill.watch.sheet import Sheet, is_unnamed, locked

JOB = "restore_drill"
FOR_ALL = 0o644
"""Mode of the file: another account reads it."""
TRIES, PAUSE, PATIENCE = 3, 1.0, 5.0
"""How often a Pushgateway is tried, the seconds between, and for which it may be silent."""


def publish_metrics(result: Result, settings: Settings) -> Iterator[str]:
    """Write and push the metrics of `result`, as `settings` ask for; a line on each that failed."""
    leaves = settings.leaves
    if leaves.metrics_file is None and leaves.pushgateway is None:
        return
    if result["selection"]:
        yield "No metrics were written: only a selection of the criteria was drilled"
        return
    if (result["backup"] or {}).get("picked"):
        yield (
            "No metrics were written: they describe the newest backup, which this one is not, or "
            "is not known to be"
        )
        return
    if result["sample"]:
        yield "No metrics were written: the sample was drilled, not a backup"
        return
    found, owner = measured(result, settings), where(settings, (result["backup"] or {}).get("path"))
    if owner and not found.series:  # also where the history needs no place to tell it apart
        found = found._replace(series=f"{UNNAMED}{owner}")
    if leaves.metrics_file is not None:
        try:
            write_file(leaves.metrics_file, found, owner)
        except OSError as error:
            yield f"No metrics were written to {leaves.metrics_file}: {error.strerror}"
    if leaves.pushgateway is not None:
        try:
            push(leaves.pushgateway, found)
        except (OSError, HTTPException) as error:
            yield f"No metrics were pushed (DRILL_PUSHGATEWAY): {reason_of(error)}"


def write_file(path: Path, found: Measured, owner: str) -> None:
    """Write the metrics to `path` in one step, beside those of other series; raises OSError.

    `owner` is where the backups lie. Where no backup was found, or the drill could not begin, it
    may have been of each series there. Without a history the file itself remembers the last pass.
    """
    with locked(path.parent):
        sheet = Sheet.read(path)
        labels = [sheet.label_for(found.series, owner)]
        if is_unnamed(found.series):
            labels = sheet.of(owner) or [found.series]
        for label in labels:
            last_pass = sheet.last_pass(label) if found.last_pass is None else found.last_pass
            metrics = metrics_of(found._replace(last_pass=last_pass))
            sheet = sheet.with_new(text_of(metrics, {"series": label}), label, owner)
        write_whole(path, sheet.text, FOR_ALL)


def write_unbegun(path: Path, result: Result, owner: str) -> None:
    """Write to the metrics at `path` that a drill of `owner` could not begin; raises OSError."""
    write_file(path, Measured(result, unbegun(result), "", None), owner)


def push(url: str, found: Measured) -> None:
    """Put the metrics into the group of the series at the Pushgateway; OSError or HTTPException.

    PUT takes what a drill did not get to out of the group. Where no history knows the last pass
    POST leaves that in place, and with it what else is not named.
    """
    address, login = without_login(url)
    parts = urlsplit(address)
    group = urlsafe_b64encode(found.series.encode(errors="backslashreplace")).decode() or "="
    path = f"{parts.path.rstrip('/')}/metrics/job/{JOB}/series@base64/{group}"
    where = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    headers = {"Content-Type": "text/plain; version=0.0.4"}
    headers |= {"Authorization": login} if login else {}
    body = text_of(metrics_of(found), {}).encode(errors="backslashreplace")
    method = "POST" if found.last_pass is None else "PUT"
    request = Request(where, body, headers, method=method)  # noqa: S310 - the scheme was checked

    def send() -> None:
        with opener().open(request, timeout=PATIENCE):  # follows no redirect to a page to log in at
            pass

    tried_again(send, OSError, TRIES, PAUSE)


def reason_of(error: Exception) -> str:
    """Why nothing was pushed, without the address: it may hold a password."""
    if code := getattr(error, "code", None):
        return f"it answered {code} {getattr(error, 'reason', '')}".rstrip()
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)
