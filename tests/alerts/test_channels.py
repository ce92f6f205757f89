"""Channels of apprise: real mail and web servers, servers that fail, and what is never printed."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from threading import Timer
from typing import Any

import pytest
from apprise.plugins.discord import NotifyDiscord

from restore_drill.alerts import announce, delivery
from restore_drill.alerts.delivery import Outcome
from restore_drill.alerts.literal import JOINER, sent_to
from restore_drill.alerts.message import Message
from restore_drill.config.alerts import alerts_of, split_urls
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.calling import installs
from restore_drill.core.interrupt import ended_as_by_a_key
from restore_drill.core.redact import Redactor
from tests.helpers.alerting import EMPTY, ended
from tests.helpers.inboxes import Inbox, Mailbox


def sent(
    verdict: str,
    *messages: str,
    notify: Notify | None = None,
    more: dict[str, Any] | None = None,
    **variables: str,
) -> list[Outcome]:
    """What became of the alerts of a drill that ended with `verdict`; its result holds `more`."""
    before = "failed" if verdict == "passed" else ""
    alerts = alerts_of(variables, notify or Notify())
    return announce.announce(alerts, ended(verdict, *messages, before=before, **more or {}))


def test_mail_and_hook_get_the_message(box: Inbox, mail: Mailbox) -> None:
    """Both get all of it, in the words of the drill."""
    outcomes = sent("failed", EMPTY, DRILL_NOTIFY=f"{box.hook}, {mail.url}")

    assert [each.done for each in outcomes] == ["sent", "sent"]
    ((subject, text),) = mail.mails
    assert subject == box.messages[0]["title"] == "Restore drill FAILED: db/shop"
    for body in (text, box.messages[0]["message"]):
        assert "public.cards has 0 rows, at least 1 expected" in body
        assert "1. read the log" in body and "/srv/report.html" in body
    assert box.messages[0]["type"] == "failure"


def test_recovery_is_a_success(box: Inbox) -> None:
    """It is sent once: the next pass is an event that is not asked for."""
    sent("passed", DRILL_NOTIFY=box.hook)
    alerts = alerts_of({"DRILL_NOTIFY": box.hook}, Notify())
    announce.announce(alerts, ended("passed", before="passed"))

    (message,) = box.messages
    assert message["title"] == "Restore drill passed again: db/shop"
    assert message["type"] == "success"


def test_events_and_channels_of_the_criteria_file(box: Inbox) -> None:
    """What `[notify]` names counts, and a variable that it names and nobody has set is reported."""
    only = Notify(
        events=("passed", "recovered"), channels=("SHOP_HOOK", "NOT_SET"), name="the shop"
    )
    red = sent("failed", EMPTY, notify=only, SHOP_HOOK=box.hook)
    green = sent("passed", notify=only, SHOP_HOOK=box.hook)

    assert red == []
    assert [each.problem for each in green] == [
        "",
        "the criteria file names NOT_SET, which is unset",
    ]
    assert [each["title"] for each in box.messages] == ["Restore drill passed again: the shop"]


@pytest.mark.usefixtures("no_pauses")
def test_failing_channels_are_reported_without_their_urls(
    box: Inbox, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Each by its number and kind; the one that works gets the message."""
    caplog.set_level(logging.DEBUG)
    urls = f"json://user:hidden@127.0.0.1:1/\nnonsense://hidden slack://hidden {box.hook}"
    outcomes = sent("failed", EMPTY, DRILL_NOTIFY=urls)

    assert [each.line for each in outcomes] == [
        "channel 1 (JSON): did not take the message",
        "channel 2: apprise does not know its URL",
        "channel 3: apprise does not know its URL",
        "channel 4 (JSON): sent",
    ]
    assert len(box.messages) == 1
    printed = (
        "".join(capfd.readouterr())
        + caplog.text
        + repr(alerts_of({"DRILL_NOTIFY": urls}, Notify()))
    )
    assert "hidden" not in printed


@pytest.mark.usefixtures("no_pauses")
def test_channel_that_fails_for_a_moment_is_tried_again(box: Inbox) -> None:
    """Three times at most."""
    box.code = 503
    (failed,) = sent("failed", EMPTY, DRILL_NOTIFY=box.hook)

    assert failed.problem and len(box.messages) == 3


def test_channel_that_never_answers_is_left_behind(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the drill waits for a limit, Python's own end for nothing; others are sent."""
    monkeypatch.setattr(announce, "LIMIT", 0.5)
    box.wait = 3.0
    began = time.monotonic()
    outcomes = sent("failed", EMPTY, DRILL_NOTIFY=box.hook)

    assert [each.problem for each in outcomes] == ["no answer within 0 s"]
    assert time.monotonic() - began < 2.5
    assert not [each for each in threading.enumerate() if "Executor" in each.name]


@pytest.mark.usefixtures("no_pauses")
def test_a_channel_that_sends_elsewhere_has_taken_nothing(box: Inbox) -> None:
    """The page at the new address answers, and has not been sent the message."""
    box.code = 302
    (outcome,) = sent("failed", EMPTY, DRILL_NOTIFY=box.hook)

    assert outcome.problem == "did not take the message" and "/login" not in box.paths


def test_what_is_too_long_for_a_service_comes_in_parts(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord refuses more than 2,000 characters: then nobody would hear of a red drill."""
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"{box.url}/hook")
    url = f"discord://1234/{'t' * 68}"
    steps = "".join(f"\n  {number}. {'look ' * 60}" for number in (1, 2, 3))
    text = f"the table {'@all ' * 60}{steps}"
    long = {"backup": {"path": f"/srv/{'shop' * 70}.dump"}, "reasons": ["x" * 300]}
    (outcome,) = sent("failed", text, text, notify=Notify(name="shop " * 60), more=long,
                      DRILL_NOTIFY=url)  # fmt: skip
    parts = [each["content"] for each in box.messages]

    assert outcome.done == "sent" and len(parts) > 1 and all(len(each) <= 2000 for each in parts)
    assert "/srv/report.html" in parts[-1] and "@all" not in "".join(parts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_waiting_and_nothing_else(box: Inbox, number: signal.Signals) -> None:
    """The verdict is there: neither it nor the exit code becomes that of an interrupt."""
    box.wait = 2.0
    Timer(0.4, os.kill, (os.getpid(), number)).start()
    began = time.monotonic()
    with ended_as_by_a_key():
        (outcome,) = sent("failed", EMPTY, DRILL_NOTIFY=box.hook)

    assert outcome.problem == "not waited for: interrupted"
    assert time.monotonic() - began < 1.5


def test_missing_apprise_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a channel is configured and the extra is not installed."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    (outcome,) = sent("failed", EMPTY, DRILL_NOTIFY="json://127.0.0.1:1/")

    assert outcome.problem == f"apprise is not installed: {installs('alerts')}"


def test_names_out_of_a_dump_mention_nobody(box: Inbox) -> None:
    """A table may be called like the members of a channel: what is shown looks like its name."""
    text = "table <!channel> of _@everyone, not of a@b, http://c.d"
    sent("failed", text, DRILL_NOTIFY=box.hook)
    shown = box.messages[0]["message"]

    assert text in shown.replace(JOINER, "")
    assert f"<{JOINER}!channel> of _@{JOINER}everyone, not of a@b, http:{JOINER}//c.d" in shown


def test_a_mail_has_names_as_they_are(mail: Mailbox) -> None:
    """It calls nobody, whatever its HTML has to show."""
    text = "table <b>x</b> of _@everyone & *co*"
    sent("failed", text, DRILL_NOTIFY=mail.url)

    assert text in mail.mails[0][1].replace(JOINER, "")


def test_a_channel_that_reads_markdown_gets_a_fence(box: Inbox) -> None:
    """Nothing in it is formatted or called, also not what would end it; the title has no name."""
    url = f"mmost://{box.host}/3ccdd113474722377935511fc85d3dd4"
    (outcome,) = sent("failed", "table *a* @all [b](http://c) ``` @here", DRILL_NOTIFY=url)
    ((path, body),) = box.taken
    title, words, last = json.loads(body)["text"].split("```")

    assert outcome.done == "sent" and path.startswith("/hooks/")
    assert title.strip() == "Restore drill FAILED" and last.strip() == ""
    assert words.startswith("\nRestore drill FAILED: db/shop\n")
    assert f"table *a* @all [b](http://c) `{JOINER}`` @here" in words


@pytest.mark.parametrize(
    ("service", "target", "shown"),
    [
        (
            "Discord",
            "MARKDOWN",
            f"```\nT: x\n<{JOINER}@1> _@{JOINER}all & *b*\n```\nReport: https://ci",
        ),
        ("Rocket.Chat", "MARKDOWN", "```\nT: x\n<@1> _@all & *b*\n```\nReport: https://ci"),
        ("Telegram", "HTML", "<pre>T: x\n&lt;@1&gt; _@all &amp; *b*</pre>Report: https://ci"),
        ("Matrix", "TEXT", f"<{JOINER}@{JOINER}1> _@{JOINER}all & *b*\nReport: https://ci"),
    ],
)
def test_each_kind_of_channel_shows_names_as_they_are(
    service: str, target: str, shown: str
) -> None:
    """And the address of the CI run as one."""
    message = Message("failed", "T: x", ("<@1> _@all & *b*", "Report: https://ci"))
    assert sent_to(service, target, message).body.replace(f"<{JOINER}@{JOINER}", f"<{JOINER}@") == (
        shown.replace(f"<{JOINER}@{JOINER}", f"<{JOINER}@")
    )


def test_a_task_that_breaks_is_reported_by_its_kind() -> None:
    """Its text may hold a URL."""

    def breaks() -> str:
        raise ValueError("https://hidden")

    (outcome,) = delivery.deliver({"x": breaks}, 5.0)
    assert outcome.line == "x: failed (ValueError)"


def test_urls_are_separated_as_apprise_has_it() -> None:
    """By blanks, and by a comma where another URL follows: a URL may hold commas."""
    text = "json://h/a,b slack://x, mailto://x:y@h?to=a@b.c,d@e.f\njsons://z;tgram://1 "
    assert split_urls(text) == [
        "json://h/a,b", "slack://x", "mailto://x:y@h?to=a@b.c,d@e.f", "jsons://z", "tgram://1",
    ]  # fmt: skip
    assert split_urls(" ") == []


def test_parts_of_urls_are_secrets_by_themselves() -> None:
    """A library may show a path without its host, a mail server a password; a host is none."""
    urls = (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ mailtos://u:pa%20ss@mail.example.com"
    )
    ping = "https://hc-ping.example.com/2f1c0f6e-1111-4222-8333-444455556666?create=1"
    found = alerts_of({"DRILL_NOTIFY": urls, "DRILL_PING": ping}, Notify()).secrets
    shown = Redactor(tokens=found)(
        "at /services/TIiajkdnlazkcOXrIdevi7FQ and 2f1c0f6e-1111-4222-8333-444455556666: "
        "535 pa ss (mail.example.com)"
    )
    assert shown == "at /services/*** and ***: 535 *** (mail.example.com)"
