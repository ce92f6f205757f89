"""Metrics of a drill: by promtool's rules, to a file, to a Pushgateway, and whatever fails."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from restore_drill.config.settings import Settings, settings_from
from restore_drill.config.where import where_is
from restore_drill.core.errors import UsageError
from restore_drill.fleet.report.gauges import gauges_of
from restore_drill.results.result import Result
from restore_drill.watch import metrics_out
from restore_drill.watch.entry import unbegun
from restore_drill.watch.metrics import Measured, measured, metrics_of, shown, text_of
from restore_drill.watch.metrics_out import publish_metrics, write_file
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.mini_drill import Done, drill, make_project

SERIES = 'series="db/backup"'
DEPLOY = ROOT / "deploy"
BOARD = DEPLOY / "grafana" / "restore-drill.json"
RULES = DEPLOY / "prometheus" / "restore-drill.rules.yml"
NAME = re.compile(r"restore_drill_[a-z_]+")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drill in small."""
    return make_project(tmp_path_factory.mktemp("metrics") / "project")


@pytest.fixture(scope="module")
def passed(project: Path) -> Done:
    """A drill that passed, with its metrics in shop.prom."""
    return drill(project, "drill", "--metrics-file=shop.prom", "--max-restore-time=90s")


@pytest.fixture
def settings(tmp_path: Path, passed: Done) -> Settings:
    """Settings of a drill without a history, with a metrics file and a gateway where nobody is."""
    del passed
    options = {"metrics_file": "shop.prom", "backup": "shop.sql"}
    (tmp_path / "shop.sql").touch()
    (tmp_path / ".env").write_text("DRILL_PUSHGATEWAY=http://me:s3cret@127.0.0.1:1/base\n")
    return settings_from(options, here=tmp_path, root=ROOT)


@contextmanager
def gateway(*answers: int) -> Iterator[tuple[str, list[tuple[str, str | None, str]]]]:
    """URL of a server that gives one of `answers` after the other, and what it was asked."""
    asked: list[tuple[str, str | None, str]] = []
    left = list(answers)

    class Answer(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(left.pop(0))
            self.send_header("Location", "/login")  # which a redirect follows
            self.end_headers()

        do_POST = do_PUT  # noqa: N815 - so it is called there
        do_GET = do_PUT  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def values_in(text: str) -> dict[str, float]:
    """The samples of a metrics file."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def promtool(*arguments: str | Path, cwd: Path, given: str = "") -> str:
    """Output of promtool, which must be content."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=cwd, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_file_is_as_prometheus_wants_it(passed: Done, project: Path) -> None:
    """Promtool has nothing to say; anyone may read it; the numbers are those of result.json."""
    path, result = project / "shop.prom", passed.result
    text = path.read_text("utf-8")
    values = values_in(text)

    assert promtool("check", "metrics", cwd=project, given=text) == ""
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in project.iterdir() if "shop.prom" in each.name] == ["shop.prom"]
    assert values[f'restore_drill_verdict{{{SERIES},verdict="passed"}}'] == 1
    assert values[f'restore_drill_verdict{{{SERIES},verdict="failed"}}'] == 0
    assert values[f"restore_drill_restored_rows{{{SERIES}}}"] == 2000
    assert values[f"restore_drill_backup_size_bytes{{{SERIES}}}"] == 26_214_400
    assert values[f"restore_drill_backup_age_seconds{{{SERIES}}}"] == 12345.6
    assert values[f"restore_drill_backup_max_age_seconds{{{SERIES}}}"] == 26 * 3600
    restore = f'{{{SERIES},stage="restore"}}'
    assert values[f"restore_drill_duration_seconds{restore}"] == result["timings"]["restore"]
    assert values[f'restore_drill_criteria{{{SERIES},outcome="passed"}}'] == 6
    run, last_pass = (
        values[f"restore_drill_last_{name}_timestamp_seconds{{{SERIES}}}"]
        for name in ("run", "pass")
    )
    assert run == last_pass > 1_700_000_000


def test_a_failed_drill_keeps_the_time_of_the_last_pass(passed: Done, project: Path) -> None:
    """By the history; also where no backup was found, and so no series."""
    del passed
    before = values_in((project / "shop.prom").read_text("utf-8"))
    last_pass = f"restore_drill_last_pass_timestamp_seconds{{{SERIES}}}"

    for mode, code in (("wrong", 1), ("notfound", 1), ("noserver", 6)):
        done = drill(project, "drill", mode=mode, DRILL_METRICS_FILE="shop.prom")
        values = values_in((project / "shop.prom").read_text("utf-8"))

        assert done.code == code
        assert values[last_pass] == before[last_pass]
        assert values[f'restore_drill_verdict{{{SERIES},verdict="{done.result["verdict"]}"}}'] == 1
        assert values[f'restore_drill_verdict{{{SERIES},verdict="passed"}}'] == 0
        assert values[last_pass.replace("pass", "run")] > before[last_pass]


def test_a_selection_leaves_the_metrics_of_the_whole_drill(passed: Done, project: Path) -> None:
    """It says nothing about the backup."""
    del passed
    before = (project / "shop.prom").read_bytes()

    done = drill(project, "-k", "redis", DRILL_METRICS_FILE="shop.prom")

    assert (project / "shop.prom").read_bytes() == before
    assert "No metrics were written: only a selection of the criteria was drilled" in done.out


def test_what_cannot_be_written_changes_no_verdict(passed: Done, project: Path) -> None:
    """A line each, without the address of the gateway; verdict and exit code are the drill's."""
    del passed
    done = drill(
        project, "drill", DRILL_METRICS_FILE="nowhere/shop.prom",
        DRILL_PUSHGATEWAY="http://me:s3cret@127.0.0.1:1",
    )  # fmt: skip

    assert (done.code, done.result["verdict"]) == (0, "passed")
    assert f"No metrics were written to {project}/nowhere/shop.prom: No such file" in done.out
    assert "No metrics were pushed (DRILL_PUSHGATEWAY): Connection refused" in done.out
    assert "s3cret" not in done.out
    assert "127.0.0.1:1" not in done.out


def test_a_quiet_drill_names_what_it_could_not_leave(passed: Done, project: Path) -> None:
    """With -q no step is shown; that no history and no metrics were written is, all the same."""
    del passed
    done = drill(
        project, "drill", "-q", DRILL_METRICS_FILE="nowhere/shop.prom",
        DRILL_HISTORY="/proc/nowhere/history.jsonl",
    )  # fmt: skip

    assert (done.code, done.result["verdict"]) == (0, "passed")
    assert f"No metrics were written to {project}/nowhere/shop.prom: No such file" in done.out
    assert "This drill was not recorded in /proc/nowhere/history.jsonl: " in done.out


def test_without_a_history_the_file_remembers_the_last_pass(
    passed: Done, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same series alone."""
    monkeypatch.setattr(metrics_out, "PAUSE", 0)
    path = settings.leaves.metrics_file
    assert path is not None
    failed: Result = passed.result | {"verdict": "failed"}
    last_pass = f"restore_drill_last_pass_timestamp_seconds{{{SERIES}}}"

    list(publish_metrics(failed, settings))
    assert last_pass not in values_in(path.read_text())
    list(publish_metrics(passed.result, settings))
    when = values_in(path.read_text())[last_pass]
    list(publish_metrics(failed, settings))
    assert values_in(path.read_text())[last_pass] == when
    other = passed.result["backup"] | {"path": "/srv/other/club.sql"}
    list(publish_metrics(failed | {"backup": other}, settings))
    assert last_pass.replace("db/backup", "other/club") not in values_in(path.read_text())
    assert values_in(path.read_text())[last_pass] == when


def test_a_gateway_that_fails_for_a_moment_is_tried_again(
    passed: Done, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the password of the URL as a header, the series in the path, and no label for it."""
    monkeypatch.setattr(metrics_out, "PAUSE", 0)
    del settings
    group = urlsafe_b64encode(b"db/backup").decode()

    with gateway(503, 500, 200, 503, 503, 503) as (address, asked):
        (tmp_path / ".env").write_text(f"DRILL_PUSHGATEWAY=http://me:s%2Fcret@{address}/base/\n")
        options = {"backup": str(tmp_path / "shop.sql")}
        both = settings_from(options, here=tmp_path, root=ROOT)
        assert list(publish_metrics(passed.result, both)) == []
        assert len(asked) == 3
        (line,) = publish_metrics(passed.result, both)

    path, login, body = asked[2]
    assert path == f"/base/metrics/job/restore_drill/series@base64/{group}"
    assert login == "Basic " + b64encode(b"me:s/cret").decode()
    assert 'restore_drill_verdict{verdict="passed"} 1\n' in body
    assert "series=" not in body
    assert line == "No metrics were pushed (DRILL_PUSHGATEWAY): it answered 503 Service Unavailable"


def test_a_page_to_log_in_at_is_no_gateway(
    passed: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent there by a redirect arrives nowhere; without a history it is a POST."""
    monkeypatch.setattr(metrics_out, "PAUSE", 0)
    failed: Result = {**passed.result, "verdict": "failed"}
    (tmp_path / "shop.sql").touch()
    with gateway(302, 302, 302, 200, 200, 200) as (address, asked):
        (tmp_path / ".env").write_text(f"DRILL_PUSHGATEWAY=http://me:cret@{address}\n")
        options = {"backup": str(tmp_path / "shop.sql")}
        (line,) = publish_metrics(failed, settings_from(options, here=tmp_path, root=ROOT))
    assert line == "No metrics were pushed (DRILL_PUSHGATEWAY): it answered 302 Found"
    assert len(asked) == 3 and all(body for _, _, body in asked)


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("DRILL_METRICS_FILE=shop.txt", r"--metrics-file .* which node_exporter would not read"),
        ("DRILL_PUSHGATEWAY=me:s3cret@host:9091", r"DRILL_PUSHGATEWAY is not the URL of a Push"),
        ("DRILL_PUSHGATEWY=http://host:9091", r"did you mean DRILL_PUSHGATEWAY\?"),
    ],
)
def test_a_wrong_place_is_refused(variable: str, why: str, tmp_path: Path) -> None:
    """Before anything starts, and without repeating what may hold a password."""
    (tmp_path / ".env").write_text(variable)

    with pytest.raises(UsageError, match=why) as error:
        settings_from({}, here=tmp_path, root=ROOT)
    assert "s3cret" not in str(error.value)


def test_labels_are_escaped(project: Path) -> None:
    """Names of folders and databases may hold anything; promtool reads them back."""
    name = 'x"y\\z\nnew'
    text = f"# HELP shop_up Up\n# TYPE shop_up gauge\nshop_up{shown({'series': name})} 1\n"

    assert '{series="x\\"y\\\\z\\nnew"}' in text
    assert promtool("check", "metrics", cwd=project, given=text) == ""
    assert shown({}) == ""


def test_rules_fire_when_they_should(tmp_path: Path) -> None:
    """Promtool's own unit tests of the alert rules."""
    (tmp_path / RULES.name).write_bytes(RULES.read_bytes())
    tests = Path(__file__).with_name("alert_rules.yml")

    promtool("check", "rules", "--lint-fatal", RULES.name, cwd=tmp_path)
    (tmp_path / tests.name).write_bytes(tests.read_bytes())
    promtool("test", "rules", tests.name, cwd=tmp_path)


def test_rules_board_and_docs_know_the_metrics_that_there_are(
    passed: Done, settings: Settings, tmp_path: Path
) -> None:
    """No name is misspelled anywhere, the docs have each, and the board's queries are PromQL."""
    there = {f"restore_drill_{each.name}" for each in metrics_of(measured(passed.result, settings))}
    docs = set(NAME.findall((ROOT / "docs" / "metrics.md").read_text("utf-8")))
    board = json.loads(BOARD.read_text("utf-8"))
    targets = [each["expr"] for panel in board["panels"] for each in panel["targets"]]

    assert docs == there | {f"restore_drill_{each.name}" for each in gauges_of(())}
    assert set(NAME.findall(RULES.read_text("utf-8"))) <= there
    assert set(NAME.findall(BOARD.read_text("utf-8"))) <= there
    queries = [
        {"record": f"a:b{number}", "expr": query.replace("$series", ".*")}
        for number, query in enumerate(targets)
    ]
    rules = {"groups": [{"name": "board", "rules": queries}]}
    (tmp_path / "board.yml").write_text(json.dumps(rules))
    promtool("check", "rules", "board.yml", cwd=tmp_path)
    assert len(queries) > 8


def test_what_is_not_known_is_absent(passed: Done, settings: Settings) -> None:
    """Never a zero that was not measured."""
    nothing: Result = passed.result | {"backup": None, "target": None, "tables": {}}
    text = text_of(metrics_of(measured(nothing, settings)), {})

    for name in ("backup_size_bytes", "backup_age_seconds", "restored_rows", "restored_tables"):
        assert name not in text


def sheet_of(*drills: tuple[str, str, str], folder: Path, result: Result) -> dict[str, float]:
    """Samples of one file that drills have written: series, folder of the backups, verdict."""
    path = folder / "all.prom"
    for series, place, verdict in drills:
        now = result | {"verdict": verdict}
        last_pass = 1_800_000_000.0 if verdict == "passed" else None
        write_file(path, Measured(now, unbegun(now), series, last_pass), place)
    assert promtool("check", "metrics", cwd=folder, given=path.read_text()) == ""
    return values_in(path.read_text())


def test_two_databases_share_a_file(passed: Done, tmp_path: Path) -> None:
    """Each run leaves the samples of the other; series of one name are told apart by their place.

    What found no backup is of each series of its place, and of no other.
    """
    shop, club, twin = ("db/shop", "/a", "passed"), ("db/club", "/b", "passed"), ("db/shop", "/c")
    values = sheet_of(
        shop, club, (*twin, "passed"), ("", "/a", "could-not-run"),
        folder=tmp_path, result=passed.result,
    )  # fmt: skip

    def verdict(series: str) -> set[str]:
        start = f'restore_drill_verdict{{series="{series}",verdict="'
        return {n[len(start) : -2] for n, value in values.items() if n.startswith(start) and value}

    assert verdict("db/shop") == {"could-not-run"}
    assert verdict("db/club") == verdict("db/shop (/c)") == {"passed"}
    assert values['restore_drill_last_pass_timestamp_seconds{series="db/shop"}'] == 1.8e9
    assert not verdict("") and len([n for n in values if "last_run" in n]) == 3


def test_what_found_no_backup_goes_once_there_is_one(passed: Done, tmp_path: Path) -> None:
    """It is said of the place, where no series is known there; another place clears nothing."""
    nothing, other = ("no backup in /a", "/a", "failed"), ("db/club", "/b", "passed")
    values = sheet_of(nothing, other, folder=tmp_path, result=passed.result)
    assert 'restore_drill_verdict{series="no backup in /a",verdict="failed"}' in values

    values = sheet_of(("db/shop", "/a", "passed"), folder=tmp_path, result=passed.result)
    assert not [name for name in values if "no backup" in name]
    assert len([name for name in values if "last_run" in name]) == 2


def test_what_found_no_backup_names_the_folder(passed: Done, tmp_path: Path) -> None:
    """Also where the history lies beside the backups, and needs no place to tell them apart."""
    backups = tmp_path / "backups"
    backups.mkdir()
    (tmp_path / ".env").write_text(f"BACKUP_PATH={backups}\n")
    settings = settings_from({"metrics_file": "shop.prom"}, here=tmp_path, root=ROOT)

    assert list(publish_metrics(passed.result | {"backup": None}, settings)) == []

    label = shown({"series": f"no backup in {where_is(backups, None)}"})
    values = values_in((tmp_path / "shop.prom").read_text())
    assert f"restore_drill_last_run_timestamp_seconds{label}" in values


def test_drills_at_once_lose_nothing(passed: Done, tmp_path: Path) -> None:
    """Twenty that end at once leave twenty series, and no other file."""

    def one(number: int) -> None:
        sheet_of((f"db/s{number}", "/a", "passed"), folder=tmp_path, result=passed.result)

    path = tmp_path / "all.prom"
    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len([name for name in values_in(path.read_text()) if "last_run" in name]) == 8
    assert [each.name for each in tmp_path.iterdir()] == ["all.prom"]


@pytest.mark.parametrize("wrong", [["--nonsense"], ["--jobs=0"], ["--report-dir=/proc/x"]])
def test_a_drill_that_cannot_begin_leaves_no_pass(
    wrong: list[str], passed: Done, tmp_path: Path
) -> None:
    """The series of its place could not be drilled, and keeps when it has last passed."""
    path = tmp_path / "all.prom"
    now = passed.result | {"verdict": "passed"}
    write_file(path, Measured(now, unbegun(now), "db/shop", 1.8e9), where_is(tmp_path, None))
    write_file(path, Measured(now, unbegun(now), "db/club", 1.8e9), "db2:/srv/club")

    done = run_drill(
        f"--metrics-file={path}", *wrong, cwd=tmp_path, report_dir=tmp_path / "report",
        BACKUP_PATH=str(tmp_path),
    )  # fmt: skip

    values = values_in(path.read_text())
    assert done.code == 4, done.output
    assert values['restore_drill_verdict{series="db/shop",verdict="could-not-run"}'] == 1
    assert values['restore_drill_verdict{series="db/shop",verdict="passed"}'] == 0
    assert values['restore_drill_last_pass_timestamp_seconds{series="db/shop"}'] == 1.8e9
    assert values['restore_drill_verdict{series="db/club",verdict="passed"}'] == 1
