"""A signal ends the drill once, and never what the drill cleans up with."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from restore_drill.core.interrupt import SIGNALS, again_when_lost, note_end, take_over
from restore_drill.live.server.deferred import DeferredSignals


@contextmanager
def taken_over() -> Iterator[None]:
    """Signals as in a drill."""
    before = take_over()
    try:
        yield
    finally:
        take_over()
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_the_second_does_not(number: signal.Signals) -> None:
    """The fixtures that clean up are left alone by the second."""
    with taken_over():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_with_a_live_database_only_what_may_be_stopped_is_interrupted_at_the_end(
    number: signal.Signals,
) -> None:
    """Before the end the first signal interrupts; there, only the comparison."""
    with taken_over(), DeferredSignals() as signals:
        note_end()
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signals.interruptible(lambda: signal.raise_signal(number))
        signal.raise_signal(number)
    with taken_over(), DeferredSignals(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_no_signal_interrupts_the_end(number: signal.Signals) -> None:
    """A drill that is cleaning up, or writing its report, does so to the end."""
    with taken_over():
        note_end()
        signal.raise_signal(number)
        signal.raise_signal(number)


@dataclass
class Finalised:
    """Meets a signal where Python drops what is raised."""

    number: signal.Signals

    def __del__(self) -> None:
        """Be interrupted."""
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_that_python_drops_comes_again(number: signal.Signals) -> None:
    """And once only: it is the first one still."""
    hook = sys.unraisablehook
    with taken_over():
        no_more = again_when_lost()
        try:
            with pytest.raises(KeyboardInterrupt) as ended:  # noqa: PT012
                Finalised(number)
                time.sleep(60)
            signal.raise_signal(number)
        finally:
            no_more()
    assert sys.unraisablehook is hook
    assert str(ended.value) == ("" if number == signal.SIGINT else f"ended by {number.name}")
