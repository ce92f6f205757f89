"""The `backup` command: taken under writes, never half done, and its errors are reported."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from fixtures.commands import main
from restore_drill.core.errors import BackupFault
from restore_drill.manifest.file import manifest_path, read_manifest
from restore_drill.manifest.naming import namer, template_among
from restore_drill.manifest.staging import YOUNG_SECONDS
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.manifests import IN_URL, SECRET, backup_process, take, url_of


@contextmanager
def writes(target: Target) -> Iterator[list[int]]:
    """Insert, change and delete rows of the shop all the while; the list counts the rounds."""
    stop, rounds = threading.Event(), [0]

    def write() -> None:
        with target.connect() as connection:
            while not stop.is_set():
                connection.execute(
                    "INSERT INTO public.cards (title, artist_id) SELECT 'new', 1 FROM"
                    " generate_series(1, 50)"
                )
                connection.execute("UPDATE public.purchases SET amount = amount + 1")
                connection.execute("DELETE FROM public.events WHERE ctid IN ("
                                   "SELECT ctid FROM public.events LIMIT 1)")  # fmt: skip
                connection.execute("INSERT INTO public.events VALUES ('2026-05-05', 'new')")
                rounds[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while rounds[0] < 3:
            time.sleep(0.01)
        yield rounds
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("major", "options"),
    [
        (15, ()),
        (15, ("--format=plain", "--compress=gzip:1", "--name={database}_{time}")),
        (18, ("--format=directory", "--jobs=2")),
    ],
    ids=["custom", "plain", "directory"],
)
def test_backup_under_writes_drills_green(
    major: int,
    options: tuple[str, ...],
    shop: Callable[..., Target],
    tmp_path: Path,
    report_dir: Path,
) -> None:
    """A backup taken while the source is written to is proved equal to its snapshot."""
    source = shop(major)
    with writes(source) as rounds:
        begun = rounds[0]
        path = take(source, tmp_path / "backups", *options)
        written = rounds[0] - begun

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert written > 3
    assert drill.code == 0, drill.output
    assert (drill.result["basis"], drill.result["strength"]) == ("manifest", "proven")
    assert drill.result["backup"]["manifest"] == f"{path}.manifest.json"
    assert "Proven: content and schema equal the source's" in drill.output
    assert {"test_backup_matches_its_manifest", "test_backup_matches_its_checksum"} <= drill.ran
    assert {"test_schema_is_what_it_was", "test_table_has_its_content[public.cards]"} <= drill.ran
    manifest = read_manifest(manifest_path(path))
    assert (
        manifest.fingerprint.tables["public.cards"].rows
        == drill.result["tables"]["public.cards"]["rows"]
    )
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        [path.name, f"{path.name}.sha256", f"{path.name}.manifest.json"]
    )


@pytest.mark.parametrize(
    ("database", "there", "name"),
    [
        ("shop", [], "shop_20260102_030405.dump"),
        ("shop", ["backup_20251231_000000.dump"], "backup_20260102_030405.dump"),
        ("shop", ["backup_20251231_000000.sql.gz.sha256"], "backup_20260102_030405.dump"),
        (
            "shop",
            ["backup_20251231_000000.dump", "shop_20260101_000000.dump"],
            "shop_20260102_030405.dump",
        ),
        ("shop", ["backup_of_billing.dump"], "shop_20260102_030405.dump"),
        ("a/{b}", [], "a__b__20260102_030405.dump"),
    ],
)
def test_a_backup_is_named_by_its_database_unless_a_series_goes_on(
    database: str, there: list[str], name: str
) -> None:
    """What lies in the folder as `backup_{time}` keeps its history, sizes and drift."""
    make = namer(template_among(there, database), database, ".dump")

    assert make(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == name


SPOILED: dict[str, tuple[Callable[[str], str], int, str]] = {
    "cut": (lambda text: text[: len(text) // 2], 1, "is damaged"),
    "newer": (lambda text: text.replace('"schema": 1', '"schema": 2', 1), 6, "newer restore-drill"),
}
"""By name: what happens to a manifest, the exit code of the drill, and words of its message."""


@pytest.mark.parametrize("name", SPOILED)
def test_bad_manifest_is_reported(name: str, taken: Path, report_dir: Path) -> None:
    """A manifest that is damaged or newer than we are is reported without a traceback."""
    change, code, words = SPOILED[name]
    manifest = manifest_path(taken)
    manifest.write_text(change(manifest.read_text()))

    drill = run_drill(f"--backup={taken}", "-k", "matches_its_manifest", report_dir=report_dir)

    assert drill.code == code, drill.output
    (check,) = drill.result["checks"]
    assert words in check["message"]
    assert "Traceback" not in drill.output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sequences"', '"others"'),
        ('"rows": 200', '"rows": "many"'),
        ('"sequences": {', '"sequences": {"x": 1, '),
        ('"taken_at": "2', '"taken_at": "x'),
        ("{", "["),
        ("{", "<html>"),
    ],
)
def test_damaged_manifest_is_never_a_traceback(old: str, new: str, taken: Path) -> None:
    """Whatever is wrong in a manifest, reading it ends in a fault that names it."""
    manifest = manifest_path(taken)
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))

    with pytest.raises(BackupFault, match="is damaged"):
        read_manifest(manifest)


def test_interrupted_backup_leaves_nothing(shop: Callable[..., Target], tmp_path: Path) -> None:
    """Ctrl-C while pg_dump writes leaves no file and no process; no argument holds the password."""
    source = shop(
        15, "CREATE TABLE big AS SELECT repeat(md5(n::text), 9) FROM generate_series(1, 150000) n"
    )
    process = backup_process(source, tmp_path, "--compress=gzip:9")
    me = psutil.Process(process.pid)
    while not any(file.stat().st_size for file in tmp_path.glob(".*.part/*.dump")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    dumping = me.children()
    commands = [each.cmdline() for each in dumping]
    assert any("--format=custom" in command for command in commands)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 2, output
    assert "no backup was left" in output
    assert list(tmp_path.iterdir()) == []
    assert not any(each.is_running() for each in dumping)
    assert not any(SECRET in word or IN_URL in word for words in commands for word in words)


def test_killed_backup_is_cleaned_up_by_the_next(
    shop: Callable[..., Target], tmp_path: Path
) -> None:
    """What a killed backup has left has no final name, and the next backup removes it."""
    source = shop(15)
    with source.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE public.cards IN ACCESS EXCLUSIVE MODE")
        process = backup_process(source, tmp_path)
        while not list(tmp_path.glob(".*.part")):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        process.kill()
        process.communicate()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".") and left.name.endswith(".part")
    old = time.time() - YOUNG_SECONDS - 1
    os.utime(left, (old, old))

    path = take(source, tmp_path)

    assert not left.exists()
    assert path.is_file()


def test_role_under_row_security_is_refused(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A role that would dump a part of the rows is refused, with the table's name."""
    source = shop(15, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO restricted")
    process = backup_process(source, tmp_path, role="restricted")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "under row security on public.artists" in output
    assert "BYPASSRLS" in output
    assert list(tmp_path.iterdir()) == []


def test_role_that_may_not_read_is_reported(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A role without rights on the tables gets the remedy."""
    source = shop(15, "ALTER TABLE public.artists DISABLE ROW LEVEL SECURITY")
    process = backup_process(source, tmp_path, role="restricted")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "permission denied" in output and "pg_read_all_data" in output
    assert "Traceback" not in output and SECRET not in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--compress=brotli",), "--compress cannot be 'brotli'"),
        (("--compress=none:3",), "--compress cannot be 'none:3'"),
        (("--name=a/b",), "--name cannot be"),
        (("--name={host}",), "--name cannot be"),
        (("--formt=plain",), "unknown option --formt (did you mean --format?)"),
        (("--ouput", "X"), "unknown option --ouput (did you mean --output-dir?)"),
        (("--jobs=0",), "--jobs"),
    ],
)
def test_errors_of_users_are_usage_errors(
    options: tuple[str, ...],
    words: str,
    source: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong option ends with exit 4 and one line, before anything is touched."""
    monkeypatch.setenv("DATABASE_URL", url_of(source))

    code = main(["backup", f"--output-dir={tmp_path}", *options])

    assert code == 4
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "DATABASE_URL is unset"),
        (f"postgresql://saver:{IN_URL}@127.0.0.1:1", "names no database"),
        (f"postgresql://saver:{IN_URL}@127.0.0.1:1/shop", "no connection to the database"),
    ],
)
def test_unusable_database_url_is_reported(
    url: str | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a usable DATABASE_URL the command says what is wrong with it, never the password."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)

    code = main(["backup", f"--output-dir={tmp_path}"])

    told = capsys.readouterr().err
    assert code == (6 if "connection" in words else 4)
    assert words in told
    assert SECRET not in told and IN_URL not in told


def test_backup_is_never_overwritten(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A name that exists is refused, and what lies there stays."""
    source = shop(15)
    path = take(source, tmp_path, "--name=always")
    before = path.read_bytes()
    process = backup_process(source, tmp_path, "--name=always")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "already exists and was not overwritten" in output
    assert path.read_bytes() == before
