"""Pings of a monitor: start, success, failure by exit code; none slows the drill's start."""

from __future__ import annotations

import os
import signal
import time
from threading import Timer
from typing import Any

import pytest

from restore_drill.alerts.announce import announce
from restore_drill.alerts.pings import Start
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.interrupt import ended_as_by_a_key
from tests.helpers.alerting import EMPTY, ended
from tests.helpers.inboxes import Inbox, inbox


@pytest.mark.parametrize(
    ("verdict", "others", "last"),
    [
        ("passed", {}, "/ping/0-1"),
        ("failed", {}, "/ping/0-1/1"),
        ("could-not-run", {}, "/ping/0-1/6"),
        ("sample", {"sample": True}, "/ping/0-1/fail"),
    ],
)
def test_monitor_hears_of_begin_and_end(
    box: Inbox, verdict: str, others: dict[str, Any], last: str
) -> None:
    """Only a pass is a success: the sample says nothing about a backup."""
    messages = (EMPTY,) if verdict in ("failed", "could-not-run") else ()
    alerts = alerts_of({"DRILL_PING": f"{box.url}/ping/0-1?create=1"}, Notify())
    start = Start(alerts.pings)
    outcomes = announce(alerts, ended(verdict, *messages, **others), start)

    assert [each.line for each in outcomes] == ["ping 1: pinged"]
    assert box.paths == ["/ping/0-1/start?create=1", f"{last}?create=1"]
    assert box.taken[0][1] == "" and box.taken[1][1].startswith("Restore drill ")
    assert ("public.cards has 0 rows" in box.taken[1][1]) is bool(messages)


def test_login_in_a_url_is_a_header_and_no_host(box: Inbox) -> None:
    """Else user and password would be looked up as a name."""
    url = box.url.replace("http://", "http://hc:S3cr%20et@") + "/ping"
    (outcome,) = announce(alerts_of({"DRILL_PING": url}, Notify()), ended("passed"), Start([]))

    assert outcome.line == "ping 1: pinged" and box.paths == ["/ping"]


def test_a_page_to_log_in_at_is_no_delivery(box: Inbox) -> None:
    """A redirect that loses what was sent."""
    box.code = 302
    alerts = alerts_of({"DRILL_PING": f"{box.url}/ping"}, Notify())
    (outcome,) = announce(alerts, ended("passed"), Start([]))

    assert outcome.problem == "HTTP 302"


def test_no_message_waits_for_a_monitor() -> None:
    """A kill while the start is still under way: people hear of the red drill all the same."""
    with inbox() as slow, inbox() as box:
        slow.wait = 3.0
        alerts = alerts_of({"DRILL_PING": slow.url, "DRILL_NOTIFY": box.hook}, Notify())
        start = Start(alerts.pings)
        Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with ended_as_by_a_key():
            outcomes = announce(alerts, ended("failed", EMPTY), start)

    assert [each.problem for each in outcomes] == ["", "not waited for: interrupted"]
    assert len(box.messages) == 1


def test_start_waits_for_no_monitor(box: Inbox) -> None:
    """A slow one is pinged in the background, and its start comes before its end."""
    box.wait = 0.5
    began = time.monotonic()
    start = Start([f"{box.url}/slow"])
    assert time.monotonic() - began < 0.3

    announce(alerts_of({"DRILL_PING": f"{box.url}/slow"}, Notify()), ended("passed"), start)
    assert box.paths == ["/slow/start", "/slow"]


@pytest.mark.usefixtures("no_pauses")
def test_dead_monitor_is_reported_without_its_url(box: Inbox) -> None:
    """By its number; one that refuses for good is not asked again."""
    box.code = 404
    urls = f"http://127.0.0.1:1/hidden {box.url}/hidden http://[hidden/ mailto:hidden"
    alerts = alerts_of({"DRILL_PING": urls}, Notify())
    outcomes = announce(alerts, ended("passed"), Start(alerts.pings))

    assert [each.line for each in outcomes] == [
        "ping 1: no connection: Connection refused",
        "ping 2: HTTP 404",
        "ping 3: its URL is not valid",
        "ping 4: its URL begins with neither https:// nor http://",
    ]
    assert box.paths == ["/hidden/start", "/hidden"]
