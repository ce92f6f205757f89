"""The `Store` of a web server: the one file that a link names, which may be signed for a time.

The link is in every request, and in nothing that people read. Of a server that gives ranges the
file comes by pieces; of another one in one go, and from its begin again where it is cut. All of it
is of one version: the ETag, or time of change, of each answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import requests

from restore_drill.config.remote import Place
from restore_drill.places import trying
from restore_drill.places.errors import changed
from restore_drill.places.store import Object
from restore_drill.places.transfer import in_pieces
from restore_drill.places.trying import tried
from restore_drill.places.web_answers import (
    EMPTY,
    PARTIAL,
    WHOLE,
    described,
    is_page,
    new_session,
    version_of,
)
from restore_drill.places.web_errors import (
    FAILURES,
    NO_LENGTH,
    PAGE,
    SIGNED,
    Refused,
    is_passing,
    what_failed,
)

COMPANIONS = (".sha256", ".manifest.json")
TIMEOUT = (10, 60)
"""Seconds to connect, and without a byte."""
BITE = 1 << 20
MISSING = (404, 410)
NOT_BESIDE = (*SIGNED, PAGE, NO_LENGTH)
T = TypeVar("T")
logging.getLogger("urllib3").setLevel(logging.INFO)  # below that it writes down whole URLs


class Link:
    """One file of a web server; raises CouldNotRun where it is not given."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked yet."""
        self.place, self.is_guarded = place, place.scheme == "https"
        self.key = place.prefix + unquote(urlsplit(place.link).path).rpartition("/")[2]
        self.session = new_session(is_signed="?" in place.link)
        self.has_ranges = True

    def url_of(self, key: str) -> str:
        """URL of the file `key`, without what signs it."""
        return f"{self.place.scheme}://{self.place.authority}/{key}"

    def list(self, _prefix: str) -> Iterator[Object]:
        """The file, and what lies beside it; there is no other folder than its own."""
        found = self.find(self.key)
        if found is None:
            raise what_failed(Refused(MISSING[0]), self.url_of(self.key), self.place.link)
        yield found
        yield from filter(None, (self.find(self.key + suffix) for suffix in COMPANIONS))

    def find(self, key: str) -> Object | None:
        """The file `key` as it is now; None where there is none.

        What lies beside a link that is signed is asked for without the signature, which would not
        fit; where it may not be read, there is none.
        """
        is_beside = key != self.key

        def look() -> Object | None:
            try:
                with self.get(key, {"Range": "bytes=0-0"}) as answer:
                    if not is_beside:
                        self.has_ranges = answer.status_code != WHOLE
                    return described(key, answer)
            except Refused as error:
                if error.answer in MISSING or (is_beside and error.answer in NOT_BESIDE):
                    return None
                raise

        return self.asked(look, key)

    def pieces(self, what: Object) -> Iterator[bytes]:
        """Bytes of the very version `what`; a piece that is cut is fetched anew."""
        if self.has_ranges and what.key == self.key:
            return in_pieces(what.size, lambda start, stop: self.read(what, start, stop))
        return self.in_one_go(what)

    def read(self, what: Object, start: int, stop: int) -> bytes:
        """Bytes of `what` from `start` up to `stop`; CouldNotRun where it is another one now."""
        wanted = {"Range": f"bytes={start}-{stop - 1}"}
        if what.version:
            wanted["If-Range"] = what.version

        def get() -> bytes:
            with self.get(what.key, wanted) as answer:
                if answer.status_code != PARTIAL or version_of(answer) != what.version:
                    raise changed(self.url_of(what.key))
                piece: bytes = answer.raw.read(stop - start, decode_content=False)
            if len(piece) != stop - start:
                raise ConnectionError
            return piece

        return self.asked(get, what.key)

    def in_one_go(self, what: Object) -> Iterator[bytes]:
        """Bytes of `what`, of a server that gives no ranges; a cut begins anew, and skips."""
        given, pause = 0, trying.PAUSE
        for left in reversed(range(trying.TRIES)):
            try:
                for count, bite in self.from_begin(what):
                    if count > given:
                        yield bite[given - count :]
                        given = count
                if given == what.size:
                    return
                raise ConnectionError
            except FAILURES as error:
                if not (left and is_passing(error) and what.version):
                    raise what_failed(error, self.url_of(what.key), self.place.link) from None
            time.sleep(pause)
            pause *= 2

    def from_begin(self, what: Object) -> Iterator[tuple[int, bytes]]:
        """Bytes of one answer, each bite with how many there were with it."""
        count = 0
        with self.get(what.key, {}) as answer:
            if version_of(answer) != what.version:
                raise changed(self.url_of(what.key))
            for bite in answer.raw.stream(BITE, decode_content=False):
                count += len(bite)
                yield count, bite

    def get(self, key: str, headers: dict[str, str]) -> requests.Response:
        """An answer that holds bytes of the file `key`; Refused where it is another one."""
        link = self.place.link
        if key != self.key:
            link = link.partition("?")[0] + key.removeprefix(self.key)
        answer = self.session.get(link, headers=headers, stream=True, timeout=TIMEOUT)
        if answer.status_code not in (WHOLE, PARTIAL, EMPTY) or is_page(key, answer):
            answer.close()
            is_fine = answer.status_code in (WHOLE, PARTIAL)
            raise Refused(PAGE if is_fine else answer.status_code)
        return answer

    def asked(self, ask: Callable[[], T], key: str) -> T:
        """What `ask` gives; what passes is tried again."""
        try:
            return tried(ask, FAILURES, self.is_worth_a_try)
        except FAILURES as error:
            raise what_failed(error, self.url_of(key), self.place.link) from None

    def is_worth_a_try(self, error: Exception) -> bool:
        """Whether `error` may pass; then by a new connection: what cut one has cut its kin."""
        if is_passing(error):
            self.session.close()
            return True
        return False
