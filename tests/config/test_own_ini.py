"""The drill runs with its own configuration and criteria, whatever lies around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import Shops

BREAKING = "[pytest]\naddopts = --ds=shop.settings --reuse-db\n"
QUIET = "[pytest]\naddopts = -q --maxfail=1\npython_files = none.py\n"


@dataclass(frozen=True)
class Around:
    """A project at `folder` with the drill in its folder `restore-drill`."""

    folder: Path

    @property
    def drill(self) -> Path:
        """The drill within."""
        return self.folder / "restore-drill"

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
        """Exit code and output of Python with `arguments`, called in `cwd`."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in CLEARED and not name.startswith(("DRILL_", "PYTEST"))
        }
        reports = {"DRILL_REPORT_DIR": str(self.folder / "reports"), "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.drill,
            env=kept | reports | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Around:
    """A project with a configuration, a conftest and `fixtures` of its own around the drill."""
    folder = tmp_path_factory.mktemp("around")
    found = Around(folder)
    found.drill.mkdir()
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / name, found.drill / name)
    for name in ("drill", "fixtures", "src"):
        shutil.copytree(ROOT / name, found.drill / name)  # with the bytecode
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "__init__.py").write_text("")
    (folder / "conftest.py").write_text("import fixtures\n")
    (folder / "criteria.toml").write_text("[tables]\n")
    (folder / "checks").mkdir()
    (folder / "checks" / "test_shop.py").write_text('def test_shop():\n    """Shop."""\n')
    return found


CALLS = {
    "criteria above": (
        "restore-drill", ["-m", "pytest", "drill/", "--criteria", "../criteria.toml"],
    ),
    "checks first": (".", ["-m", "pytest", "checks", "restore-drill/drill"]),
    "from within": ("restore-drill/drill", ["-m", "pytest", ".", "../../checks"]),
    "-c": ("restore-drill", ["-m", "pytest", "drill", "-c", "../pytest.ini"]),
    "-m drill": ("restore-drill", ["-m", "drill", "../checks"]),
    "absolute": ("/", ["-m", "pytest", "{drill}/drill", "{drill}/../checks"]),
    "rootdir": ("/", ["{drill}/drill", "--rootdir", "/"]),
}  # fmt: skip
"""Where the drill is called, and how."""


@pytest.mark.parametrize(
    ("call", "ini"),
    [*((call, BREAKING) for call in CALLS), ("checks first", QUIET), ("-m drill", QUIET)],
    ids=[*CALLS, "checks first-quiet", "-m drill-quiet"],
)
def test_a_configuration_around_the_drill_is_left_alone(
    around: Around, call: str, ini: str
) -> None:
    """Its options, conftest and file patterns count for nothing; extra checks run all the same."""
    (around.folder / "pytest.ini").write_text(ini)
    where, arguments = CALLS[call]
    given = [each.replace("{drill}", str(around.drill)) for each in arguments]

    code, told = around.run(*given, "-k", "redis or test_shop", cwd=around.folder / where)

    assert code == 0, told
    assert "---- RESTORE DRILL INCOMPLETE ----" in told, "it is not quiet"
    number = 8 if any("checks" in each for each in given) else 7
    assert f"{number} of {number} criteria passed" in told
    assert "Traceback" not in told


def test_a_conftest_around_that_breaks_is_not_read(around: Around) -> None:
    """Without checks that lie beside it, what lies above the drill is none of its business."""
    (around.folder / "pytest.ini").write_text(BREAKING)
    broken = around.folder / "conftest.py"
    before = broken.read_text()
    broken.write_text("raise RuntimeError('broken')\n")
    try:
        code, told = around.run("-m", "pytest", "drill", "-k", "redis")
        by_command, also = around.run(
            "-m", "drill", "-k", "redis", "--criteria", "../criteria.toml"
        )
    finally:
        broken.write_text(before)

    assert (code, by_command) == (0, 0), told + also


@pytest.mark.parametrize("given", [["-o", "addopts="], ["--import-mode=prepend"]])
def test_options_of_pytest_do_not_change_what_runs(given: list[str], report_dir: Path) -> None:
    """Other ways to import leave the criteria as they are."""
    drill = run_drill(*given, "-k", "redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert len(drill.ran) == 7


LIKE_PYTEST_DJANGO = """\
import os


def pytest_addoption(parser):
    parser.addoption("--ds")


def pytest_load_initial_conftests():
    raise ImportError(f"no Django project for {os.environ['DJANGO_SETTINGS_MODULE']}")
"""


@pytest.mark.parametrize("called", [["-m", "pytest", "drill"], ["-m", "drill"]])
def test_a_setting_for_pytest_django_is_none_for_the_drill(
    around: Around, tmp_path: Path, called: list[str]
) -> None:
    """The plugin sets up the application by that variable, and ends pytest where it cannot."""
    (tmp_path / "like_django.py").write_text(LIKE_PYTEST_DJANGO)
    about = tmp_path / "like_django-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: like-django\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[pytest11]\ndjango = like_django\n")
    (around.folder / "pytest.ini").write_text(BREAKING)
    given, path = [*called, "-k", "redis"], str(tmp_path)
    settings = "shop.settings"

    code, told = around.run(*given, PYTHONPATH=path, DJANGO_SETTINGS_MODULE=settings)
    other, refused = around.run(
        "-m", "pytest", "../checks", PYTHONPATH=path, DJANGO_SETTINGS_MODULE=settings
    )

    assert code == 0, told
    assert "7 of 7 criteria passed" in told
    assert other == 1 and "no Django project" in refused, "a run of other tests has the plugin"


@pytest.mark.parametrize(
    ("word", "near"), [("statsu", "'status'"), ("backups", "'backup'"), ("xyzzy", "")]
)
def test_an_unknown_command_is_no_drill(around: Around, word: str, near: str) -> None:
    """Exit 4, and a near name or, without one, the commands; nothing is drilled."""
    code, told = around.run("-m", "drill", word)

    assert code == 4
    assert "is neither a command nor a path" in told and "RESTORE DRILL" not in told
    assert (f"; did you mean {near}?" in told) is bool(near)
    assert ("rollback" in told) is (near == "")
    assert around.run("-m", "drill", "--help")[0] == 0


@pytest.mark.parametrize("called", [("-m", "drill"), ("-m", "pytest", "drill/")])
def test_a_misspelled_option_is_named_with_a_near_one(
    around: Around, called: tuple[str, ...]
) -> None:
    """Exit 4 and one line, wherever the drill is called."""
    code, output = around.run(*called, "--bakcup", "X", cwd=around.drill)

    assert code == 4
    assert "unknown option --bakcup (did you mean --backup?)" in output
    assert len(output.split()) < 15, "one line"


def own_criteria(folder: Path) -> Path:
    """A criteria file with SQL in `sql/` beside it, and what is not run: elsewhere, in Python."""
    (folder / "sql").mkdir(parents=True)
    (folder / "sql" / "no_negative_prices.sql").write_text(
        "SELECT id FROM public.purchases WHERE amount < 0"
    )
    (folder / "forgotten.sql").write_text("SELECT 1")
    (folder / "checks").mkdir()
    (folder / "checks" / "test_shop.py").write_text('def test_shop():\n    """Shop."""\n')
    (folder / "criteria.toml").write_text("[tables]\ncards = { min_rows = 1 }\n")
    return folder / "criteria.toml"


def test_sql_beside_a_criteria_file_is_run(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """`sql/` beside one's own criteria file is collected; what is not run is said."""
    criteria = own_criteria(tmp_path / "mine")
    drill = run_drill(
        f"--backup={shops.dump(15, 'plain.sql')}", f"--criteria={criteria}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    assert "no_negative_prices" in drill.ran
    told = {entry["what"]: entry["why"] for entry in drill.result["not_checked"]}
    assert told[f"1 SQL file in {criteria.parent}"].endswith(
        f"{criteria.parent / 'sql'}; move them there"
    )
    left = f"1 test file in {criteria.parent / 'checks'}"
    assert f"pytest drill/ {criteria.parent / 'checks'}" in told[left]
    assert f"Not checked: {left}" in drill.output


def test_what_the_command_line_names_is_not_called_left_out(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Checks that are asked for run, and nothing says otherwise."""
    criteria = own_criteria(tmp_path / "mine")
    drill = run_drill(
        str(criteria.parent / "checks"),
        f"--backup={shops.dump(15, 'plain.sql')}",
        f"--criteria={criteria}",
        "-k",
        "test_shop or no_negative",
        report_dir=report_dir,
    )

    assert drill.code == 0, drill.output
    assert {"test_shop", "no_negative_prices"} == drill.ran
    assert not [each for each in drill.result["not_checked"] if "test file" in each["what"]]
