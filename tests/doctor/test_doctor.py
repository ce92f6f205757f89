"""`restore-drill doctor`: what is configured and found, what stays unchecked, what to do."""

from __future__ import annotations

import json
import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import CouldNotRun
from restore_drill.doctor import services, waiting
from restore_drill.doctor.configured import configure
from restore_drill.doctor.examine import Checkup, examine
from restore_drill.doctor.lines import as_json, lines_of
from restore_drill.doctor.waiting import Begun, Unanswered
from restore_drill.servers import find
from restore_drill.watch.entry import note
from tests.helpers.live import url_of
from tests.helpers.redis_servers import BINARIES, running
from tests.helpers.shop import Shops, pg_dump
from tests.watch.test_status import FAILED, PASSED

HEAD = b"""--
-- PostgreSQL database dump
--
-- Dumped from database version 16.4
-- Dumped by pg_dump version 16.4
--
-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -
--
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE TABLE public.cards (id integer);
COPY public.cards (id) FROM stdin;
1
\\.
--
-- PostgreSQL database dump complete
--
"""
SECRET = "s3cret-pass"
PATIENCE = 60.0
"""Seconds for servers that answer, on a machine that tests keep busy."""
QUICK = ("backups", "history", "alerts", "machine")
"""Groups that need no other program."""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the tester's counts."""
    for name in list(os.environ):
        if name.startswith("DRILL_") or name in VARIABLES.values():
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waiting, "OURS", PATIENCE)
    monkeypatch.setattr(waiting, "OTHERS", PATIENCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """BACKUP_PATH with a backup that is an hour old, and one of the day before."""
    home = tmp_path / "backups"
    home.mkdir()
    for hours in (1, 25):
        when = datetime.now(UTC) - timedelta(hours=hours)
        (home / f"shop_{when:%Y%m%d_%H%M%S}.sql").write_bytes(HEAD)
    return home


def check_up(*names: str, **options: str) -> Checkup:
    """A checkup here with the `options` of a drill, of the groups `names` or of all."""
    given = {name: options.get(name) for name in OPTIONS}
    return examine(configure(given, here=Path.cwd(), root=SUITE), names or None)


def test_what_would_fail_in_another_series_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run drills all of them, so all are judged."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    now = datetime.now(UTC)
    (folder / f"crm_{now:%Y%m%d_%H%M%S}.sql").write_bytes(HEAD)
    fine = check_up("backups")
    assert "1 other series would be drilled too" in fine.facts[-1].text
    assert not fine.fails and not fine.stops

    for days in (3, 4):
        (folder / f"crew_{now - timedelta(days=days):%Y%m%d_%H%M%S}.sql").write_bytes(HEAD)
    for minutes, content in ((30, HEAD), (20, b"")):
        path = folder / f"pay_{now - timedelta(minutes=minutes):%Y%m%d_%H%M%S}.sql"
        path.write_bytes(content)
    old, empty = sorted(fact.text for fact in check_up("backups").fails)
    assert "of backups/crew is 3 d old; the limit is 1 d 2 h (RPO)" in old
    assert "the newest backup of backups/pay, cannot be drilled: zero bytes" in empty


def texts(checkup: Checkup, kind: str, name: str = "") -> list[str]:
    """Texts of the facts of a `kind`, of one group or of all."""
    groups = [each for each in checkup.groups if name in ("", each.name)]
    return [fact.text for group in groups for fact in group.facts if fact.kind == kind]


def test_a_backup_is_described_with_its_series(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which one a drill would be of, its age against the limit, and how many there are."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    found = check_up(*QUICK)

    good = "\n".join(texts(found, "ok", "backups"))
    assert "a drill would use shop_" in good and "plain SQL" in good and "1 h" in good
    assert "2 backups in its series (backups/shop)" in texts(found, "note", "backups")
    assert found.code == 0 and not found.fails
    assert f"backups: {folder} (BACKUP_PATH in the environment)" in texts(found, "note")


def test_a_place_is_named_without_its_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies on another machine is shown as a drill shows it."""
    monkeypatch.setenv("DRILL_BACKUP", "http://127.0.0.1:9/shop.dump?X-Amz-Signature=hunter2")

    found = check_up(*QUICK)

    place = "backup: http://127.0.0.1:9/shop.dump (DRILL_BACKUP in the environment)"
    assert place in texts(found, "note", "configuration")
    assert "hunter2" not in "\n".join(lines_of(found))


def test_an_old_backup_fails_a_drill_and_does_not_stop_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drill could run, and would be red."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    found = check_up(*QUICK, max_backup_age="30min")

    assert found.code == 0 and not found.stops
    assert [fact.text.endswith("the limit is 30 min (RPO)") for fact in found.fails] == [True]
    assert "A drill could run, and would fail:" in list(lines_of(found))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no backups found"),
        (b"", "is empty (zero bytes)"),
        (b"\x00\x01\x02" * 400, "cannot be drilled: it is binary data of an unknown kind"),
    ],
)
def test_without_a_usable_backup_no_drill_could_run(
    content: bytes | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 6, with the reason and what to do."""
    (tmp_path / "b").mkdir()
    if content is not None:
        (tmp_path / "b" / "shop_20261128_050000.sql").write_bytes(content)
        (tmp_path / "b" / "shop_20261127_050000.sql").write_bytes(HEAD)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "b"))

    found = check_up(*QUICK)

    assert found.code == 6
    assert [fact.todo != () for fact in found.stops if why in fact.text] == [True]


def test_without_a_backup_named_only_a_sample_would_be_drilled() -> None:
    """That is said, stops nothing, and stops a drill that requires a backup."""
    assert "sample shop" in texts(check_up(*QUICK), "warn", "backups")[0]
    assert check_up(*QUICK).code == 0
    assert check_up(*QUICK, require_backup="yes").code == 6


def test_errors_in_settings_do_not_hide_the_rest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is shown, exit code 4, and what does not depend on them is examined."""
    (folder / "bad.toml").write_text("tables = 3\n")
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    monkeypatch.setenv("DRILL_JOBS", "many")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://app:{SECRET}@db.example/shop")

    found = check_up(*QUICK, criteria=str(folder / "bad.toml"), target="database", promote="yes")

    errors = "\n".join(texts(found, "bad", "configuration"))
    assert "bad.toml, line 1" in errors and "--jobs" in errors and "--confirm NAME" in errors
    assert found.code == 4
    assert "a drill would use shop_" in texts(found, "ok", "backups")[0]
    printed = "\n".join(lines_of(found)) + json.dumps(as_json(found))
    assert "database db.example:5432/shop, role app" in printed and SECRET not in printed


def test_a_file_of_variables_is_named(folder: Path, tmp_path: Path) -> None:
    """What was set says where: option, environment or file."""
    (tmp_path / ".env").write_text(f"BACKUP_PATH={folder}\nDRILL_MAX_BACKUP_AGE=1h\n")

    found = check_up(*QUICK, max_backup_age="2d")

    notes = texts(found, "note", "configuration")
    assert f"backups: {folder} (BACKUP_PATH in {tmp_path / '.env'})" in notes
    assert "max backup age: 2d (--max-backup-age)" in notes


def test_forty_series_take_a_few_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People see the first ones and the number; machines, and --all, each."""
    (tmp_path / "b").mkdir()
    for number in range(40):
        (tmp_path / "b" / f"db{chr(97 + number % 26)}x{number}y_20261128_0500.sql").write_bytes(
            HEAD
        )
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "b"))

    found = check_up(*QUICK)

    lines = [line for line in lines_of(found) if "nother series" in line]
    assert len(lines) == 5
    assert "! And 34 more like these: --all shows them" in list(lines_of(found))
    assert "\n".join(lines_of(found, None)).count("nother series") == 39
    assert json.dumps(as_json(found)).count("another series") == 39


def test_what_stays_unchecked_has_a_reason_and_a_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Manifest, reference, criteria, Redis: what there is none of."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    opens = {each.what: each for each in check_up(*QUICK).opens}

    assert (
        "no manifest lies beside the backup" in opens["content and schema against the source"].why
    )
    assert opens["business facts"].todo and opens["your own Redis"].todo
    assert "no drill of the series" in opens["drift since the last passed drill"].why


def test_earlier_drills_are_those_of_the_series(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one, and the last pass."""
    (folder / ".drill").mkdir()
    history = folder / ".drill" / "history.jsonl"
    for drill in (PASSED, FAILED):
        note(history, type(drill)(**(vars(drill) | {"series": "backups/shop"})))
    note(history, type(PASSED)(**(vars(PASSED) | {"series": "backups/other"})))
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    found = check_up(*QUICK)

    assert "2 drills of this series recorded, 1 passed" in texts(found, "note", "history")
    assert any(text.startswith("the last drill failed") for text in texts(found, "warn", "history"))
    due = "no [schedule] in the criteria file: the last pass may be 8 d old"
    assert due in texts(found, "note", "history")


def test_channels_are_counted_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their URLs are secrets."""
    monkeypatch.setenv("DRILL_NOTIFY", f"json://{SECRET}.example mailto://a:{SECRET}@b.example")
    monkeypatch.setenv("DRILL_PING", f"https://hc.example/{SECRET}")

    found = check_up("alerts")

    shown = "\n".join(lines_of(found))
    assert "2 channels for messages" in shown and "1 monitor to ping" in shown
    assert SECRET not in shown + json.dumps(as_json(found))


def test_no_secret_of_a_setting_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that stands in its variable, URLs with passwords and tokens: refused or not."""
    monkeypatch.setenv("DRILL_SIGN_KEY", f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END")
    monkeypatch.setenv("DRILL_PUSHGATEWAY", f"https://u:{SECRET}@push.example/m?token={SECRET}")
    monkeypatch.setenv("DRILL_BACKUP", f"s3://key:{SECRET}@bucket/x?sig={SECRET}")
    monkeypatch.setenv("REDIS_URL", f"redis://u:{SECRET}@127.0.0.1:1/0?password={SECRET}")
    monkeypatch.setenv("DRILL_DECRYPT_KEY_FILE", f"AGE-SECRET-KEY-1{SECRET}")

    found = check_up("redis")

    shown = "\n".join(lines_of(found)) + json.dumps(as_json(found))
    assert "pushgateway: https://push.example (DRILL_PUSHGATEWAY" in shown
    assert found.code == 4 and "sign: set (not shown" in shown
    assert SECRET not in shown


def test_a_server_is_found_with_the_extensions_of_the_backup(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fetched to find out: what a drill would fetch is named as that."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    monkeypatch.setattr(find, "fetch", None)

    found = check_up("servers")

    good = "\n".join(texts(found, "ok", "servers"))
    assert "a drill would restore into PostgreSQL 1" in good
    assert "extension pgcrypto, which the backup needs, is in: " in good


def test_a_build_that_is_not_here_would_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with DRILL_OFFLINE it would not: then there is no server."""
    monkeypatch.setattr(find, "candidates", list)
    notes: list[str] = []
    build = find.find_binaries(16, note=notes.append, obtain=find.planned)
    assert build.major == 16 and build.source == find.TO_FETCH

    monkeypatch.setenv("DRILL_OFFLINE", "1")
    with pytest.raises(CouldNotRun, match="no PostgreSQL 16 or newer") as caught:
        find.find_binaries(16, note=notes.append, obtain=find.planned)
    assert any("DRILL_OFFLINE" in line for line in caught.value.checked)


def test_redis_that_is_down_fails_a_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its criteria would be red; its password is not shown."""
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@127.0.0.1:1/0")

    found = check_up("redis")

    assert found.code == 0
    assert ["127.0.0.1:1/0" in fact.text for fact in found.fails] == [True]
    assert SECRET not in "\n".join(lines_of(found))


def test_redis_is_judged_as_a_drill_judges_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same limits, with a few PINGs and no write."""
    with running(BINARIES[0], ("--maxmemory", "800kb"), "") as server:
        monkeypatch.setenv("REDIS_URL", server.url())

        found = check_up("redis")

        assert [fact.text for fact in found.fails] == [
            f"Redis at 127.0.0.1:{server.port}/0 has 0.0% of its memory left, the limit is 5.0%"
        ]
        told = server.admin.info("commandstats")
        assert "cmdstat_set" not in told and told["cmdstat_ping"]["calls"] < 50


def test_an_engine_that_does_not_answer_stops_only_who_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--target container` cannot do without."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    assert check_up("containers").code == 0
    assert check_up("containers", target="container").code == 6


def test_what_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that accepts and is silent is named; the others are examined all the same."""
    monkeypatch.setattr(waiting, "OTHERS", 0.2)
    began = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@{where}/0")
        found = check_up("redis", "alerts")

    assert time.monotonic() - began < 5
    assert texts(found, "bad", "redis") == [f"redis://{where} did not answer in time"]
    assert found.code == 0 and found.fails[0].todo
    assert texts(found, "warn", "alerts")


def test_a_silent_live_server_stops_a_drill(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of it already is shown, too."""
    monkeypatch.setattr(waiting, "OTHERS", 0.2)
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("DATABASE_URL", f"postgresql://app:{SECRET}@{where}/shop")
        found = check_up("live", target="database")

    assert found.code == 6
    assert texts(found, "bad", "live") == [
        f"database {where}/shop, role app did not answer in time"
    ]
    assert "a drill restores into a new database beside it" in texts(found, "note", "live")[0]


def test_work_that_takes_too_long_is_left_alone() -> None:
    """What it comes to is never taken for an answer."""
    with pytest.raises(Unanswered, match="the server did not answer"):
        Begun(lambda: time.sleep(1)).result(time.monotonic() + 0.05, "the server")
    assert Begun(lambda: 7).result(time.monotonic() + 5, "the server") == 7


def test_a_live_database_is_identified_and_left_alone(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version, role and size; a wrong password is reported without it."""
    target = shops.source(15)
    (tmp_path / "b").mkdir()
    pg_dump(target, tmp_path / "b" / "shop.dump", "--format=custom")
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "b"))
    monkeypatch.setenv("DATABASE_URL", url_of(target, "postgres"))
    with target.connect() as connection:
        count = "SELECT count(*) FROM pg_database"
        before = connection.execute(count).fetchone()
        found = check_up("live", target="database")
        assert connection.execute(count).fetchone() == before

    assert found.code == 0, texts(found, "bad")
    assert any("answers; system identifier" in text for text in texts(found, "ok", "live"))
    assert any("a superuser" in text for text in texts(found, "note", "live"))
    monkeypatch.setenv("DATABASE_URL", url_of(target, f"nobody_here:{SECRET}"))
    refused = check_up("live", target="database")
    assert refused.code == 6 and SECRET not in "\n".join(lines_of(refused))


def test_the_command_starts_and_writes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole of it, for machines: every group is there, and nothing new on the disk."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    before = sorted(folder.parent.rglob("*"))

    code = main(["doctor", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == found["exit_code"] and found["could_run"] is (code == 0)
    assert [each["name"] for each in found["groups"]] == [
        "configuration", "backups", "servers", "machine", "isolation", "redis_backup", "live",
        "redis", "containers", "history", "alerts",
    ]  # fmt: skip
    assert sorted(folder.parent.rglob("*")) == before
    assert main(["doctor", "--bakcup", "x"]) == 4
    assert services.ENGINE_SECONDS < 2


def test_a_temporary_folder_that_is_passed_over_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has set TMPDIR learns that rows would lie elsewhere, and why."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    (told,) = texts(check_up("machine"), "warn", "machine")
    assert told.endswith(f"not in TMPDIR ({tmp_path / 'gone'}): it is no folder")
