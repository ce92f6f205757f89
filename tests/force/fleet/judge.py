"""Whether every database has exactly one verdict, the right one, wherever it is told."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import obstore

from restore_drill.fleet.report.junit import is_red
from restore_drill.fleet.report.outcome import WORDS
from tests.force.fleet.databases import FAILED, PASSED, UNKNOWN, Database
from tests.force.fleet.world import HISTORY
from tests.helpers.buckets import writer

SUMMARY = "---- "
GREEN = ("passed", "warnings")


def judged(report: Path, output: str, code: int, databases: Sequence[Database]) -> Iterator[str]:
    """What is wrong with a run, a line each."""
    try:
        plain = json.loads((report / "fleet.json").read_text())
    except (OSError, ValueError) as error:
        yield f"there is no fleet.json: {error}"
        return
    names = Counter(each["name"] for each in plain["databases"])
    if names != Counter(each.name for each in databases):
        yield f"fleet.json has other databases: {names}"
    states = {each["name"]: each for each in plain["databases"]}
    for each in databases:
        found = states.get(each.name, {"state": "none"})
        if state(found["state"]) != each.right:
            yield f"{each.name} is {found['state']}, not {each.right}: {found.get('why')}"
    yield from in_output(output, databases)
    yield from in_junit(report / "junit.xml", databases)
    if code != (right := code_of(databases)):
        yield f"the exit code is {code}, not {right}"


def state(name: str) -> str:
    """A state of fleet.json, where a warning is a pass."""
    return PASSED if name in GREEN else name


def code_of(databases: Sequence[Database]) -> int:
    """The right exit code."""
    rights = {each.right for each in databases}
    return 1 if FAILED in rights else 6 if UNKNOWN in rights else 0


def in_output(output: str, databases: Sequence[Database]) -> Iterator[str]:
    """Each database has one line, with its word."""
    words = "|".join(sorted(set(WORDS.values()), key=len, reverse=True))
    told = re.findall(rf"^({words}) +(\S+)", output.partition(SUMMARY)[0], re.MULTILINE)
    right = [(WORDS[each.right], each.name) for each in databases]
    for word, name in (Counter(told) - Counter(right)).elements():
        yield f"the output says {word} of {name}"
    for word, name in (Counter(right) - Counter(told)).elements():
        yield f"the output does not say {word} of {name}"


def in_junit(path: Path, databases: Sequence[Database]) -> Iterator[str]:
    """Each database has one suite, which is red where it is to be."""
    suites = ET.parse(path).getroot().findall("testsuite")  # noqa: S314 - our own
    found = [(str(each.get("name")).partition(": ")[2], is_red([each])) for each in suites]
    names = Counter(name for name, _ in found)
    if names != Counter(each.name for each in databases):
        yield f"junit.xml has other suites: {names}"
    red = {name for name, is_one in found if is_one}
    if red != (right := {each.name for each in databases if each.right != PASSED}):
        yield f"junit.xml is red, or not, where it should not be: {sorted(red ^ right)}"


Noted = dict[str, list[tuple[str, str]]]
"""Verdict and first finding of each drill of a database, by its name."""


def noted_in(url: str, history: str) -> Noted:
    """What drills have noted in this history, also those that nobody waited for."""
    store, found = writer(url), Noted()
    for page in store.list(prefix=f"{HISTORY}/{history}/"):
        for each in page:
            entry: dict[str, Any] = json.loads(bytes(obstore.get(store, each["path"]).bytes()))
            name = str(entry["place"]).rstrip("/").rpartition("/")[2]
            finding = next(iter(entry.get("findings") or []), "")
            found.setdefault(name, []).append((str(entry["verdict"]), str(finding)))
    return found


def in_history(noted: Noted, databases: Sequence[Database]) -> Iterator[str]:
    """No drill may have noted a wrong verdict of a backup, and the right one must be there."""
    for each in databases:
        found = noted.get(each.name, [])
        for verdict, finding in found:
            if verdict not in (each.right, UNKNOWN):
                yield f"the history has a drill of {each.name} that {verdict}: {finding}"
        if each.right != UNKNOWN and each.right not in {verdict for verdict, _ in found}:
            yield f"the history has no drill of {each.name} that {each.right}"


def unsure(noted: Noted, databases: Sequence[Database]) -> Iterator[str]:
    """Why drills of backups that can be judged could not run at first."""
    for each in databases:
        for verdict, finding in noted.get(each.name, []):
            if verdict == UNKNOWN != each.right:
                yield f"{each.name}: {finding}"
