"""All checks side by side: what was found stands in a `Checkup`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, DrillError, UsageError
from restore_drill.doctor import waiting
from restore_drill.doctor.checks import Check, checks_of
from restore_drill.doctor.configuration import name_settings
from restore_drill.doctor.configured import Configured
from restore_drill.doctor.model import Fact, Group, Open
from restore_drill.doctor.opens import left_open
from restore_drill.doctor.waiting import Begun, Unanswered
from restore_drill.selection.chosen import Chosen, choose
from restore_drill.selection.groups import Shelf, to_drill
from restore_drill.watch.kept import shelf_here

FOLDER = "the folder of the backups"


@dataclass
class Checkup:
    """What was found: `groups` in the order in which they are shown, and what stays `opens`.

    `chosen` is the backup that a drill would use, None where none is named, or not known.
    """

    configured: Configured
    chosen: Chosen | None
    groups: list[Group]
    opens: list[Open] = field(default_factory=list)

    @property
    def facts(self) -> list[Fact]:
        """Those of all groups."""
        return [fact for group in self.groups for fact in group.facts]

    @property
    def stops(self) -> list[Fact]:
        """What keeps a drill from running."""
        return [fact for fact in self.facts if fact.stops]

    @property
    def fails(self) -> list[Fact]:
        """What a drill would run into, and fail."""
        return [fact for fact in self.facts if fact.kind == "bad" and not fact.stops]

    @property
    def code(self) -> int:
        """Exit code: 0 where a drill could run, 4 for its settings, 6 for another reason."""
        if self.configured.errors or any(fact.is_usage for fact in self.facts):
            return 4
        return 6 if self.stops else 0


def examine(
    configured: Configured,
    names: Sequence[str] | None = None,
    choosing: Callable[[], Chosen | None] | None = None,
) -> Checkup:
    """Examine all, or the groups that `names` lists, each for as long as its limit allows.

    `choosing` gives the backup where it has been chosen already.
    """
    settings = configured.settings
    until = time.monotonic() + waiting.OURS
    seen: list[Shelf] = []
    backup = Begun(choosing or partial(chosen_in, settings, seen))
    chosen = partial(backup.result, until, FOLDER)
    begun = [
        Running(check, Group(check.name, check.title))
        for check in checks_of(configured, chosen, seen)
        if names is None or check.name in names
    ]
    opens = Begun(lambda: left_open(settings, chosen()))
    ours = {each.check.name: each.ended(until) for each in begun if not each.check.who}
    stays: list[Open] = []
    with suppress(DrillError, OSError):  # reported by a check
        stays = opens.result(until, FOLDER)
    until = time.monotonic() + waiting.OTHERS
    groups = [name_settings(configured)]
    groups += [ours.get(each.check.name) or each.ended(until) for each in begun]
    found = None
    with suppress(DrillError, OSError):  # likewise
        found = chosen()
    return Checkup(configured, found, groups, stays)


def chosen_in(settings: Settings, seen: list[Shelf]) -> Chosen | None:
    """The backup that is drilled, or why there is none; None where none is named.

    Where it was chosen from what lies in BACKUP_PATH, that is put into `seen`.
    """
    if settings.is_sample:
        return None
    try:
        if settings.backup is not None or settings.backup_path is None:
            return choose(settings)
        shelf = shelf_here(settings)
        seen.append(shelf)
        names = to_drill(shelf, settings)
        return choose(settings, shelf, beside=names if len(names) > 1 else ())
    except UsageError as error:
        return CouldNotRun(str(error))
    except (CouldNotRun, OSError):
        return choose(settings)  # which says why


class Running:
    """A check that has begun to fill its `group`."""

    def __init__(self, check: Check, group: Group) -> None:
        """Begin `check`."""
        self.check, self.group = check, group
        self.work = Begun(partial(check.fill, group))

    def ended(self, until: float) -> Group:
        """What was found by the monotonic `until`, or that it could not be found out."""
        group = self.group
        try:
            self.work.result(until, self.check.who or self.check.title)
        except Unanswered as error:
            group = replace(self.group, facts=list(self.group.facts))  # it may go on
            group.facts.append(self.check.unanswered(error))
        except DrillError as error:
            group.error(error)
        except (OSError, subprocess.SubprocessError) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            group.warn(f"could not be examined: {what}")
        return group
