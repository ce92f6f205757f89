"""What is refused in a fleet file: by its reader with place and reason, by its schema as well."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory import example, load_inventory
from restore_drill.fleet.inventory.file import BUDGETS, DATABASE, DISCOVER, RUN
from restore_drill.fleet.inventory.options import ALLOWED, BY_FLAG, REFUSED
from tests.fleet.inventory.conftest import Load
from tests.fleet.inventory.test_file import FULL
from tests.helpers.drills import ROOT
from tests.helpers.options_table import FLEET_SCHEMA, fleet_schema_text

A = '[databases.a]\nbackups = "/a"\n'
ERRORS = {
    "section": ("[database.a]\n", 1, "the file: unknown key 'database'; did you mean 'databases'?"),
    "key": (A + "owners = 'x'\n", 3, "[databases.a]: unknown key 'owners'; did you mean 'owner'?"),
    "default": ("[defaults]\nbackups = '/a'\n", 2, "[defaults]: unknown key 'backups'; known are"),
    "discover": ("[[discover]]\nsourse = '/a'\n", 2, "[[discover]]: unknown key 'sourse'; did you"),
    "no source": ("[[discover]]\nignore = []\n", 1, "source is missing: a folder or a URL"),
    "discover table": ("[discover]\nsource = '/a'\n", 1, "separate table, under [[discover]]"),
    "run key": ("[run]\nretries = 2\n", 2, "[run]: unknown key 'retries'; did you mean 'tries'?"),
    "tries": (A + "[run]\ntries = 0\n", 4, "[run]: tries must be 1 or more, not 0"),
    "at once": (A + "[run]\nat_once = 1.5\n", 4, "at_once must be a whole number of drills, not"),
    "no backups": ("[databases.a]\nowner = 'x'\n", 1, "give backups, where its backups lie, or"),
    "both": (A + "backup = '/b'\n", 3, "give backups or backup, not both"),
    "series of one": ("[databases.a]\nbackup='/b'\nseries='x'\n", 3, "series chooses among backup"),
    "pattern": (A + "series = 'shop*'\n", 3, "series 'shop*' is a pattern; name one series, and"),
    "live target": (A + "target = 'database'\n", 3, "target 'database' concerns a live database"),
    "target": (A + "target = 'contaner'\n", 3, "target is 'contaner'; did you mean 'container'?"),
    "criteria": (A + "criteria = 'none.toml'\n", 3, "none.toml, which is not there"),
    "budget": (A + "budgets = { max_backup_aeg = '1h' }\n", 3, "did you mean 'max_backup_age'?"),
    "budget value": (A + "budgets.max_backup_age = 'x'\n", 3, "is not a duration: 'x'"),
    "budgets": (A + "budgets = '26h'\n", 3, "budgets must be a table of limits"),
    "every": (A + "every = 7\n", 3, "every must be a time like '7d', of a minute or more; 7 is 7"),
    "timeout": (A + "timeout = 0\n", 3, "timeout must be a duration like '2h', not 0"),
    "owner": (A + "owner = 3\n", 3, "owner must be a text in quotes, not a number"),
    "no owner": (A + "owner = ' '\n", 3, "owner must not be empty"),
    "dot": ('[databases.eu.shop]\nbackups = "/a"\n', 1, 'in quotes: [databases."eu.shop"]'),
    "setting": ("[databases.a]\nbackup_path = '/a'\n", 2, "did you mean 'backups'?"),
    "place number": (
        "[databases.a]\nbackups = 3\n",
        2,
        "backups must be a folder or a URL in quotes",
    ),
    "budget number": (
        A + "budgets = { max_backup_age = 26 }\n",
        3,
        'max_backup_age = 26 has no unit; write "26h" or "26s"',
    ),
    "budget text": (A + "budgets.max_total_time = '26'\n", 3, '= "26" has no unit; write "26h" or'),
    "timeout number": (A + "timeout = 30\n", 3, 'timeout = 30 has no unit; write "30min" or "30s"'),
    "every number": (A + "every = 3600\n", 3, "every = 3600 has no unit; write"),
    "every second": (A + "every = 1\n", 3, "1 is 1 second"),
    "disk": (A + "disk = 20\n", 3, "disk must be a size like '20 GB', not 20"),
    "memory": (A + "memory = 'much'\n", 3, "memory is not a size: 'much'; write it like '20 GB'"),
    "cores": (A + "cores = true\n", 3, "cores must be a number, not True"),
    "label name": (A + "labels = { 'a b' = 'x' }\n", 3, "a label cannot be called 'a b'; write"),
    "label taken": (A + "labels = { owner = 'x' }\n", 3, "a label cannot be called 'owner': every"),
    "label value": (
        A + "labels = { tier = 3 }\n",
        3,
        "tier must be a text in quotes, not a number",
    ),
    "labels": (A + "labels = ['x']\n", 3, "labels must be a table of names and texts"),
    "option": (A + "options = ['--heapallindex']\n", 3, "did you mean '--heapallindexed'?"),
    "other option": (A + "options = ['--frobnicate']\n", 3, "unknown option '--frobnicate'; see"),
    "options": (A + "options = '--jobs'\n", 3, "options must be a list of options"),
    "no option": (A + "options = ['-k', 'x']\n", 3, "that is no option; options begin with --"),
    "no value": (A + "options = ['--jobs']\n", 3, "--jobs needs a value; write --jobs=VALUE"),
    "option as value": (A + "options = ['--jobs', '--pick']\n", 3, "--jobs needs a value; write"),
    "value of flag": (A + "options = ['--heapallindexed=1']\n", 3, "takes no value"),
    "secret option": (A + "options = ['--wal=sftp://u:hush@h/']\n", 3, "options holds a password"),
    "variable": (
        A + "environment = { 'A-B' = 'x' }\n",
        3,
        "'A-B' cannot be the name of a variable",
    ),
    "near variable": (A + "environment = { DRILL_JOB = '2' }\n", 3, "did you mean DRILL_JOBS?"),
    "fleet's variable": (
        A + "environment = { DRILL_TARGET = 'container' }\n",
        3,
        'write target = "…" in this table',
    ),
    "folder variable": (
        A + "environment = { BACKUP_PATH = '/x' }\n",
        3,
        'write backups = "…" in this table',
    ),
    "live variable": (
        A + "environment.DATABASE_URL = 'x'\n",
        3,
        "DATABASE_URL concerns a live data",
    ),
    "number": (
        A + "environment = { PGPORT = 5432 }\n",
        3,
        "PGPORT must be a text in quotes, not a number",
    ),
    "environment": (A + "environment = 'A=hush'\n", 3, "must be a table of variables and their"),
    "broken reference": (A + "environment = { A = '${B' }\n", 3, "A has a ${ that begins no refer"),
    "URL": (A + "environment = { R = 'redis://:hush@h/0' }\n", 3, "R holds a password (not shown)"),
    "secret": (A + "environment = { AWS_SECRET_ACCESS_KEY = 'hush' }\n", 3, "KEY is a secret (not"),
    "channel": (A + "notify = ['mailto://me:hush@h']\n", 3, "notify holds a password (not shown)"),
    "token": (A + "notify = ['slack://T/hushhushhushhush1']\n", 3, "a token in it (not shown)"),
    "front token": (
        A + "notify = ['slack://xoxb-hush-hush-hush']\n",
        3,
        "a token in it (not shown)",
    ),
    "token behind": (A + "notify = ['mailto://h/?to=a@b.example&pass=hush']\n", 3, "a token in it"),
    "no channel": (A + "notify = ['hush']\n", 3, "an entry (not shown) that is neither a URL nor"),
    "channels": (A + "notify = '${A}'\n", 3, "notify must be a list of URLs of channels, or"),
    "keys in URL": ("[databases.a]\nbackups = 's3://k:hush@b/'\n", 2, "backups holds a password"),
    "parameters": ("[databases.a]\nbackups = 's3://b/?hush'\n", 2, "or parameters (not shown)"),
    "place": ("[databases.a]\nbackups = 'ftp://h/b'\n", 2, "backups names ftp://h/b, which is not"),
    "object": ("[databases.a]\nbackup = 's3://b/'\n", 2, "backup names no object; write s3://"),
    "web": ("[[discover]]\nsource = 'https://h/b.dump'\n", 2, "which gives no list of its files"),
    "secret source": ("[[discover]]\nsource = 's3://k:hush@b/'\n", 2, "source holds a password"),
    "source twice": ("[[discover]]\nsource='.'\n[[discover]]\nsource='.'\n", 4, "a second [[disco"),
    "same backups": (A + "series='x'\n[databases.b]\nbackups='/a/'\nseries='x/'\n", 4, "'a' ("),
    "NUL": (A + 'owner = "x\\u0000"\n', 3, "owner has a NUL character (\\u0000) in it; leave"),
    "criteria folder": (A + "criteria = '/'\n", 3, "criteria names /, which is a folder; name"),
    "table": ("[databases]\na = 's3://k:hush@b/'\n", 2, "must be a table, not a text; write its"),
    "list": ("[[databases]]\nbackup = 's3://k:hush@b/'\n", 1, "its header in single [ ]"),
    "unset": (A + "environment = { A = '${B}' }\n", 3, "unset or empty; set it where the fleet is"),
    "name": ('[databases."\\u0007"]\nbackups = "/a"\n', 1, "is empty or has a control character"),
}
BEYOND_A_SCHEMA = {
    "NUL", "criteria folder", "unset", "criteria", "label name", "label taken", "no value",
    "option as value", "value of flag",
    "secret option", "variable", "near variable", "fleet's variable", "folder variable",
    "live variable", "broken reference", "URL", "secret", "channel", "token", "keys in URL",
    "front token", "token behind",
    "parameters", "place", "object", "web", "secret source", "source twice",
    "same backups", "name", "pattern", "no option", "no backups",
}  # fmt: skip
"""Errors of names and places, and the fleet's own rules."""


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_has_its_line_and_its_reason(load: Load, case: str) -> None:
    """In words of the file, and without what may be a secret."""
    text, line, told = ERRORS[case]
    with pytest.raises(UsageError) as refused:
        load(text)

    message = str(refused.value)
    assert told in message, message
    assert re.match(rf"fleet file \S+fleet\.toml, line {line}, \S+", message), message
    assert "hush" not in message


@pytest.mark.parametrize(
    ("key", "what", "told"),
    [
        (
            "backups",
            "hr/hr.sql",
            'hr.sql, which is a file; for a single backup write backup = "hr/',
        ),
        ("backup", "hr", "hr, which is a folder, and no backup itself; for a folder of backups wr"),
        ("backup", "hr/hr.sql", ""),
        ("backups", "hr", ""),
        ("backup", "directory", ""),
        ("backup", "base", ""),
        ("backups", "gone", ""),
        ("backup", "gone", ""),
    ],
)
@pytest.mark.parametrize("is_reference", [False, True], ids=["written out", "reference"])
def test_a_file_is_no_folder(
    load: Load,
    tmp_path: Path,
    key: str,
    what: str,
    told: str,
    is_reference: bool,  # noqa: FBT001
) -> None:
    """Told before any drill; what is not there now may come, or lie on a worker."""
    for name in ("hr/hr.sql", "directory/toc.dat", "base/PG_VERSION", "base/backup_label"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("15\n")
    text = f"[databases.a]\n{key} = '{'${PLACE}' if is_reference else what}'\n"
    if told:
        with pytest.raises(UsageError, match=re.escape(told)) as refused:
            load(text, {"PLACE": what})
        assert f"line 2, [databases.a]: {key} names" in str(refused.value)
    else:
        assert load(text, {"PLACE": what}).databases["a"].place == str(tmp_path / what)


FILES = {
    "UTF-16": (A.encode("utf-16"), "fleet.toml, line 1: the file is UTF-16; save it as UTF-8"),
    "UTF-16 unmarked": (A.encode("utf-16-le"), "line 1: the file is UTF-16, or no text; save it"),
    "Latin-1": (f"{A}# K\xf6ln".encode("latin-1"), "fleet.toml, line 3: the file is not UTF-8; sa"),
    "empty": (b"", r"neither [databases] nor [[discover]], so there is nothing to drill; see"),
    "twice": (A.encode() + b"backups = 'c'\n", "line 3, column 14); the same key stands above it"),
    "backslash": (b'[databases.a]\nbackups = "C:\\d"\n', "line 2, column 16); write a text with"),
    "unquoted": (b"[databases.a]\nbackups = /b\n", "line 2, column 11); a text stands in quotes"),
    "YAML": (b"databases:\n  a: b\n", "(at line 1, column 10); write NAME = VALUE"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_none_is_told(tmp_path: Path, case: str) -> None:
    """With the line, as far as there are lines, and what to do."""
    data, told = FILES[case]
    (tmp_path / "fleet.toml").write_bytes(data)
    with pytest.raises(UsageError, match=re.escape(told)):
        load_inventory(tmp_path / "fleet.toml", {})


def test_files_of_windows_are_read(tmp_path: Path) -> None:
    """With its line endings and the mark that its editors write, criteria files likewise."""
    for name, text in (("fleet.toml", f"{A}criteria = 'c.toml'\n"), ("c.toml", "[tables]\n")):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert list(load_inventory(tmp_path / "fleet.toml", {}).databases) == ["a"]


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    """None is passed over: there were databases in it. What editors leave is no fleet file."""
    (folder := tmp_path / "fleet.d").mkdir()
    (folder / "a.toml").write_text(A)
    (folder / ".#a.toml").symlink_to("ana@host.1234")
    assert list(load_inventory(folder, {}).databases) == ["a"]
    (folder / "b.toml").symlink_to("gone.toml")
    with pytest.raises(UsageError, match=r"b\.toml: it is a link to gone\.toml, which does not"):
        load_inventory(folder, {})
    (folder / "b.toml").unlink()
    (folder / "b.toml").symlink_to("b.toml")
    with pytest.raises(UsageError, match=r"b\.toml: Too many levels of symbolic links; name"):
        load_inventory(folder, {})
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "empty" / "below" / "a.toml").write_text("[backup]\n")
    with pytest.raises(UsageError, match=r"holds no \*\.toml; "):
        load_inventory(tmp_path / "empty", {})


@pytest.mark.parametrize("case", sorted(ERRORS.keys() - BEYOND_A_SCHEMA))
def test_editors_see_the_same_errors(case: str) -> None:
    """What the reader refuses the schema refuses too, as far as a schema can."""
    assert faults(ERRORS[case][0])


def faults(text: str) -> list[str]:
    """What the JSON Schema finds wrong with a file of `text`."""
    raw: Any = tomllib.loads(text)
    return [
        each.message for each in Draft7Validator(json.loads(fleet_schema_text())).iter_errors(raw)
    ]


def uncommented(text: str) -> str:
    """The example with all of its keys in force."""
    return re.sub(r"^# (?=\[|[\w.]+ = )", "", text, flags=re.MULTILINE)


def test_editors_see_none_in_good_files(
    load: Load, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor does the reader, also where all of the example is in force."""
    whole = uncommented(example())
    assert not faults(example())
    assert not faults(FULL)
    assert not faults(whole)
    assert whole.count("\n# ") < example().count("\n# ") - 10
    folder = tmp_path_factory.mktemp("example")
    (folder / "criteria.toml").write_text("")
    here = whole.replace('"criteria.toml"', f'"{folder}/criteria.toml"')
    here = here.replace('"s3://backups/"', f'"{folder}"')
    found = load(here, {"SLACK_URL": "slack://a/b/c", "BACKUP_KEY": "k"})
    assert list(found.databases) == ["shop", "ledger", str(folder)]


def test_schema_in_the_docs_is_that_of_the_code() -> None:
    """`make docs` has written it."""
    assert FLEET_SCHEMA.read_text(encoding="utf-8") == fleet_schema_text()


def test_the_page_has_every_key() -> None:
    """With what it means."""
    page = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    keys = [*DATABASE.keys, *DISCOVER.keys, *RUN.keys, *BUDGETS.keys]
    assert not [key for key in keys if f"`{key}`" not in page]


@pytest.mark.parametrize("flag", [flag for flag, each in BY_FLAG.items() if each.name in REFUSED])
def test_options_of_the_fleet_itself_are_refused(load: Load, flag: str) -> None:
    """By reader and schema, each with what to write or why not."""
    text = f'{A}options = ["{flag}=x"]\n'
    with pytest.raises(UsageError, match=rf"line 3, \[databases\.a\]: {flag} (is|concerns) "):
        load(text)
    assert faults(text)


@pytest.mark.parametrize("what", ["link", "folder", "text"])
def test_an_sql_criterion_that_no_drill_could_read(load: Load, tmp_path: Path, what: str) -> None:
    """It would not come along to a worker, and the drill would pass without it."""
    (folder := tmp_path / "cr" / "sql").mkdir(parents=True)
    (folder.parent / "c.toml").write_text("")
    path = folder / "orders.sql"
    if what == "link":
        path.symlink_to("shared/orders.sql")
    elif what == "folder":
        path.mkdir()
    else:
        path.write_text("-- owner: x\nSELECT 1\n")
    with pytest.raises(UsageError, match=re.escape(f"SQL criterion {path}")):
        load(f"{A}criteria = '{folder.parent}/c.toml'\n")


@pytest.mark.parametrize("flag", ALLOWED)
def test_all_other_options_are_taken(load: Load, flag: str) -> None:
    """As they are given to a drill."""
    option = flag if BY_FLAG[flag].is_flag else f"{flag}=x"
    text = f'{A}options = ["{option}"]\n'
    assert load(text).databases["a"].options == (option,)
    assert not faults(text)


def test_refused_options_are_there() -> None:
    """Each is an option of the drill."""
    assert set(REFUSED) <= {option.name for option in BY_FLAG.values()}


INLINE = 'databases = { crm = { backups = "/srv/crm" } }\n'
TORN = '[databases.crm]\nbackups = "/srv\n'


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("crm.TOML", "rename it to crm.toml", INLINE),
        ("crm.tml", "rename it to crm.toml", INLINE),
        ("team/crm.toml", "is read: move it there", '[databases.crm]\nbackups = "/srv/crm"\n'),
        ("team/crm.toml", "is read: move it there", INLINE),
        ("team/deep/crm.toml", "is read: move it there", TORN),
    ],
)
def test_what_is_nearly_a_fleet_file_is_not_passed_over(
    tmp_path: Path, name: str, words: str, text: str
) -> None:
    """Its databases would go undrilled; criteria in a folder below, and hidden files, are none."""
    folder = tmp_path / "fleet.d"
    (folder / "criteria").mkdir(parents=True)
    (folder / "shop.toml").write_text('[databases.shop]\nbackups = "/srv/shop"\n')
    (folder / "criteria" / "shop.toml").write_text('[backup]\nmax_age = "1d"\n')
    for other in ("shop.toml~", "shop.toml.bak", ".crm.TOML", "README.md"):
        (folder / other).write_text("[databases.x]\n")
    assert list(load_inventory(folder, {}).databases) == ["shop"]

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        load_inventory(folder, {})
    assert str(folder / name) in str(refused.value)
