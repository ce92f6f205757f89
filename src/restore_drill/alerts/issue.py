"""One issue for each database, from the first red drill to the recovery.

The first one opens it, the next ones comment, the pass comments and closes it. Marks in its text
find it again, from any machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from restore_drill.alerts.literal import inert_title
from restore_drill.alerts.message import Message
from restore_drill.alerts.subject import Subject

if TYPE_CHECKING:
    from restore_drill.alerts.trackers import Issue, Tracker

RED = ("failed", "could-not-run", "missed", "unknown")
LONGEST = 240
"""Characters of a title: GitLab takes 255, GitHub 256, and both refuse a longer one."""
CLOSED = "closed issue #"
"""Begins what `keep` says of a recovery."""


def keep(tracker: Tracker, message: Message, subject: Subject) -> str:
    """Open, comment or close; what was done. Raises Undelivered.

    Two drills that open one at the same time both see both afterwards: the older one stays.
    """
    found = tracker.issues()
    if message.event not in RED:
        return close_all(tracker, marked(found, *subject.marks, *subject.closes), message)
    own = marked(found, *subject.marks)
    if own:
        tracker.comment(own[0].number, body_of(message))
        return f"commented on issue #{own[0].number}"
    title, body = inert_title(message.title), "\n".join([body_of(message), *subject.marks, ""])
    made = tracker.create(title if len(title) <= LONGEST else f"{title[:LONGEST]}…", body)
    older = [each for each in marked(tracker.issues(), *subject.marks) if each.number < made.number]
    if not older:
        return f"opened issue #{made.number}"
    tracker.comment(made.number, f"Another drill has opened #{older[0].number} for this.")
    tracker.close(made.number)
    tracker.comment(older[0].number, body_of(message))
    return f"commented on issue #{older[0].number}"


def close_all(tracker: Tracker, issues: list[Issue], message: Message) -> str:
    """Comment on `issues` and close them."""
    for each in issues:
        tracker.comment(each.number, body_of(message))
        tracker.close(each.number)
    numbers = ", #".join(str(each.number) for each in issues)
    return f"{CLOSED}{numbers}" if issues else "no open issue"


def marked(issues: list[Issue], *marks: str) -> list[Issue]:
    """Those of `issues` with one of `marks` in their text."""
    return [each for each in issues if any(mark in each.body for mark in marks)]


def body_of(message: Message) -> str:
    """`message` as Markdown that shows it as it is, and the address of a CI run as a link.

    In a fence no name out of a dump mentions people, and none is a command of GitLab's.
    """
    text = plain("\n".join([message.title, *message.words]))
    return f"~~~text\n{text}\n~~~\n" + "".join(f"\n{plain(each)}\n" for each in message.links)


def plain(text: str) -> str:
    """`text` that neither ends the fence around it nor holds a mark."""
    return text.replace("~~~", "~ ~ ~").replace("<!--", "< !--")
