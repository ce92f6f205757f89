"""Where the metrics of a drill go: a file for node_exporter, and a Pushgateway."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

from restore_drill.alerts.web import without_login
from restore_drill.config.settings import Settings
from restore_drill.core.retry import tried_again
from restore_drill.results.result import Result, write_whole
from restore_drill.watch.beside import with_others
from restore_drill.watch.metrics import (
    Measured,
    last_pass_in,
    measured,
    metrics_of,
    shown,
    text_of,
)

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
            "No metrics were written: they describe the newest backup, but an older one was drilled"
        )
        return
    if result["sample"]:
        yield "No metrics were written: the sample was drilled, not a backup"
        return
    found = measured(result, settings)
    if leaves.metrics_file is not None:
        try:
            write_file(leaves.metrics_file, found)
        except OSError as error:
            yield f"No metrics were written to {leaves.metrics_file}: {error.strerror}"
    if leaves.pushgateway is not None:
        try:
            push(leaves.pushgateway, found)
        except (OSError, HTTPException) as error:
            yield f"No metrics were pushed (DRILL_PUSHGATEWAY): {reason_of(error)}"


def write_file(path: Path, found: Measured) -> None:
    """Write the metrics to `path` in one step; raises OSError.

    Where there is no history, the file itself remembers when a drill has last passed. Of several
    series in one run each has its metrics there; those of others are taken out.
    """
    labels = {"series": found.series}
    if found.last_pass is None:
        found = found._replace(last_pass=last_pass_in(path, shown(labels)))
    beside = [each for each in found.result["run_of"] if each != found.drill.series]
    text = with_others(text_of(metrics_of(found), labels), path, beside)
    write_whole(path, text, FOR_ALL)


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
        with urlopen(request, timeout=PATIENCE):  # noqa: S310
            pass

    tried_again(send, OSError, TRIES, PAUSE)


def reason_of(error: Exception) -> str:
    """Why nothing was pushed, without the address: it may hold a password."""
    if code := getattr(error, "code", None):
        return f"it answered {code} {getattr(error, 'reason', '')}".rstrip()
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)
