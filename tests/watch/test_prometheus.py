"""A real Pushgateway and a real Prometheus: a drill's metrics arrive, and raise the alert."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import port_for

from tests.helpers.drills import ROOT
from tests.helpers.mini_drill import drill, make_project

PATIENCE = 30.0
CONFIG = """
global: {{scrape_interval: 250ms, scrape_timeout: 200ms, evaluation_interval: 250ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{{targets: ["{gateway}"]}}]
"""


@contextmanager
def running(*command: str, cwd: Path) -> Iterator[None]:
    """Run a server until the end of the block."""
    with (cwd / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def awaited(ask: Callable[[], Any]) -> Any:
    """What `ask` gives as soon as it gives anything."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if found := ask():
                return found
        except URLError:
            pass
        time.sleep(0.05)
    raise AssertionError("nothing came in time")


def test_a_red_drill_raises_the_alert(tmp_path: Path) -> None:
    """Pushed by the drill, scraped by Prometheus, judged by the rules that are shipped."""
    gateway, server = (f"127.0.0.1:{port_for.select_random()}" for _ in range(2))
    rules = ROOT / "deploy" / "prometheus" / "restore-drill.rules.yml"
    (tmp_path / "prometheus.yml").write_text(CONFIG.format(rules=rules, gateway=gateway))
    project = make_project(tmp_path / "project")

    def ask(query: str) -> list[dict[str, Any]]:
        where = f"http://{server}/api/v1/query?{urlencode({'query': query})}"
        with urlopen(where, timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    with (
        running(
            "prometheus-pushgateway", f"--web.listen-address={gateway}",
            "--persistence.file=",  # Debian's keeps its groups in /var/lib
            cwd=tmp_path,
        ),
        running(
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            f"--web.listen-address={server}", cwd=tmp_path,
        ),
    ):  # fmt: skip
        awaited(lambda: urlopen(f"http://{gateway}/-/ready", timeout=5))
        done = drill(project, DRILL_PUSHGATEWAY=f"http://{gateway}")
        assert done.code == 0 and "No metrics" not in done.out
        (rows,) = awaited(lambda: ask("restore_drill_restored_rows"))
        done = drill(project, mode="wrong", DRILL_PUSHGATEWAY=f"http://{gateway}")
        assert done.code == 1 and "No metrics" not in done.out
        (alert,) = awaited(lambda: ask('ALERTS{alertname="RestoreDrillFailed"}'))
        (passed,) = ask("restore_drill_last_pass_timestamp_seconds")
        (ran,) = ask("restore_drill_last_run_timestamp_seconds")

    assert rows["value"][1] == "2000"
    assert (rows["metric"]["job"], rows["metric"]["series"]) == ("restore_drill", "db/backup")
    assert alert["metric"]["series"] == "db/backup"
    assert alert["metric"]["severity"] == "critical"
    assert float(passed["value"][1]) < float(ran["value"][1])
