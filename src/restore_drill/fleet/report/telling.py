"""Who hears of a run, all at its end: issues first, then one message for each channel, monitors."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from restore_drill.alerts.announce import RED, announce_pings, has_terminal, keep, messages
from restore_drill.alerts.delivery import LIMIT, SHORT_LIMIT, Outcome, deliver
from restore_drill.alerts.message import REMEDY, Message, place_of, written
from restore_drill.alerts.pings import Start, ending
from restore_drill.alerts.subject import Subject, mark_of
from restore_drill.alerts.unbegun import forget_unbegun, note_unbegun
from restore_drill.config.alerts import Alerts, alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.config.environment import read_environment
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import EXIT_USAGE_ERROR, UsageError
from restore_drill.core.printable import printable
from restore_drill.core.redact import Redactor
from restore_drill.fleet.report import issues
from restore_drill.fleet.report.issues import DATABASE, Place, Run, keep_issues
from restore_drill.fleet.report.messages import announce, before_in, hearers
from restore_drill.fleet.report.outcome import Outcome as Ended
from restore_drill.fleet.report.repeats import ISSUE, note_told, repeated
from restore_drill.fleet.report.run import headline


def tell(run: Run, environment: Mapping[str, str], page: Path | None, start: Start | None) -> None:
    """Tell of a run that has ended, and show what became of each alert; nothing is raised.

    The verdicts stand, whatever goes wrong here.
    """
    try:
        show(told(run, environment, page, start))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: alerts may not have been sent\n")
    except Exception as error:  # noqa: BLE001 - its text may hold a URL
        sys.stderr.write(f"alerts could not be sent: {type(error).__name__}\n")


def told(
    run: Run, environment: Mapping[str, str], page: Path | None, start: Start | None
) -> list[Outcome]:
    """What became of each alert, without a URL.

    A database whose issue was closed is a recovery, whatever the history knows: of a drill that
    did not begin it knows nothing.
    """
    alerts, fleet, found = alerts_of(environment, Notify()), run.fleet, list[Outcome]()
    is_short = fleet.is_interrupted and not has_terminal()
    before = before_in({name: each.drills for name, each in run.known.items()}, fleet.started)
    again, place = False, Place.of(fleet.inventory, environment)
    ways = {**hearers(fleet, alerts.channels), ISSUE: fleet.rows}
    quiet = repeated(fleet, place, ways)
    if alerts.channels or any(each.database.notify for each in fleet.rows):
        back, again = remembered(run, place)
        before |= dict.fromkeys(back, RED[1])
    if alerts.issues:
        run = run._replace(report=place_of(environment, page), quiet=quiet[ISSUE])
        found, closed = keep_issues(run, alerts, SHORT_LIMIT if is_short else issues.LIMIT)
        before |= dict.fromkeys(closed, RED[1])
    heard = {ISSUE: in_issues(run, found)}
    sent = announce(fleet, environment, page, before, is_back=again, quiet=quiet)
    heard |= {channel: ways[channel] for channel, each in sent.items() if not each.problem}
    note_told(fleet, place, quiet, heard)
    found += sent.values()
    if start is not None:
        found += announce_pings(alerts, fleet.code, headline(fleet), start)
    return found


def in_issues(run: Run, found: Sequence[Outcome]) -> list[Ended]:
    """Databases that an issue tells of: of their own, of the fleet or of all that have none."""
    is_kept = {each.name.removeprefix("issue of "): not each.problem for each in found}

    def name_of(row: Ended) -> str:
        if run.is_own(row):
            return "the fleet"
        return row.name if row.name in is_kept else "the other databases"

    return [each for each in run.fleet.rows if is_kept.get(name_of(each))]


def remembered(run: Run, place: Place) -> tuple[set[str], bool]:
    """Databases whose drill did not begin last time, and has passed; whether the fleet is back.

    What does not begin now is remembered: no history tells of it.
    """
    back, is_kept = set(), any(map(run.is_own, run.fleet.rows))
    for each in run.fleet.rows:
        mark = mark_of(DATABASE + each.name, place.inventory)
        if each.is_green and forget_unbegun(mark):
            back.add(each.name)
        elif each.is_bad and each.state in ("not-begun", "could-not-run") and not run.is_own(each):
            note_unbegun(mark)
    (mark,) = place.start.marks
    if is_kept:
        note_unbegun(mark)
    return back, not is_kept and forget_unbegun(mark)


def tell_unbegun(text: str, code: int, root: Path) -> None:
    """Tell that a run could not begin: `text` is the error, after which it exits with `code`.

    As with a drill, what was typed wrong on a terminal is sent to nobody.
    """
    here, environment = Path.cwd(), environment_here(root)
    alerts = alerts_of(environment, Notify())
    if not alerts.are_configured:
        return
    start = Start(alerts.pings) if alerts.pings else None
    about = Place.of(here, environment).start
    first, *others = Redactor(tokens=alerts.secrets)(text).strip().splitlines()
    remedy = [line.strip() for line in others if REMEDY.match(line)]
    lines = [f"No drill was begun: {first}", *remedy]
    message = written("could-not-run", about, lines, place_of(environment, None))
    is_typed = code == EXIT_USAGE_ERROR and sys.stdout.isatty()
    found = [] if is_typed else sent(alerts, message, about)
    if start is not None:
        found += deliver(ending(alerts.pings, start, code, message.text, is_pass=False), LIMIT)
    show(found)


def environment_here(root: Path) -> Mapping[str, str]:
    """The environment, without `.env` files where they cannot be read."""
    try:
        return read_environment(Path.cwd(), root)
    except UsageError:
        return read_environment()


def sent(alerts: Alerts, message: Message, about: Subject) -> list[Outcome]:
    """Send `message` to all channels, and keep the issue `about` the same."""
    found: list[Outcome] = []
    if alerts.issues:
        found = deliver({"issue": partial(keep, alerts, message, about)}, LIMIT / 2)
    if alerts.channels:
        note_unbegun(about.marks[0])
        found += deliver(messages(alerts, message), LIMIT)
    return found


def show(outcomes: Sequence[Outcome]) -> None:
    """A line for what was sent, and one on standard error for each alert that was not."""
    failed = [each for each in outcomes if each.problem]
    for each in outcomes:
        stream = sys.stderr if each.problem else sys.stdout
        said = "not alerted" if each.problem else "alerted"
        stream.write(printable(f"{said}: {each.line}") + "\n")
    if failed:
        sys.stderr.write(f"  the verdict stands; to try it: {COMMAND} notify --test\n")
