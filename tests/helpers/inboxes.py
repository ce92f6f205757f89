"""Real servers on loopback that take what alerts send: mail, web hooks, pings, issues."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Inbox:
    """What a web server has taken, by path and body, in order; it answers with `code`."""

    url: str = ""
    code: int = 200
    taken: list[tuple[str, str]] = field(default_factory=list)
    wait: float = 0.0

    @property
    def host(self) -> str:
        """`127.0.0.1:1234`."""
        return self.url.removeprefix("http://")

    @property
    def hook(self) -> str:
        """Its URL as a channel of apprise."""
        return f"json://{self.host}/hook"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What came to `hook`."""
        return [json.loads(body) for path, body in self.taken if path.startswith("/hook")]

    @property
    def paths(self) -> list[str]:
        """Paths that were asked for."""
        return [path for path, _ in self.taken]


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """URL of a web server with this handler."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Quiet(BaseHTTPRequestHandler):
    """Answers, and logs nothing."""

    def body(self) -> str:
        """What was sent."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def answer(self, code: int, value: Any = None) -> None:
        """Answer with `value` as JSON."""
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/login")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def inbox() -> Iterator[Inbox]:
    """A web server that keeps what it is sent."""
    box = Inbox()

    class Handler(Quiet):
        def do_POST(self) -> None:
            box.taken.append((self.path, self.body()))
            time.sleep(box.wait)
            self.answer(box.code)

        def do_GET(self) -> None:
            box.taken.append((self.path, ""))
            self.answer(200)

    with serving(Handler) as url:
        box.url = url
        yield box


@dataclass
class Mailbox:
    """What a mail server has taken: subject and text of each mail."""

    url: str = ""
    mails: list[tuple[str, str]] = field(default_factory=list)


class Postman:
    """Takes mails for a box."""

    def __init__(self, box: Mailbox) -> None:
        """Put them into `box`."""
        self.box = box

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain", "html"))
        assert body is not None
        self.box.mails.append((str(mail["Subject"]), str(body.get_content())))
        return "250 taken"


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server that keeps what it is sent; `url` is its channel of apprise."""
    box, loop = Mailbox(), asyncio.new_event_loop()
    opened = loop.create_server(lambda: SMTP(Postman(box), loop=loop), "127.0.0.1", 0)
    server = loop.run_until_complete(opened)
    port = server.sockets[0].getsockname()[1]
    box.url = f"mailto://127.0.0.1:{port}?mode=insecure&from=drill@example.com&to=ops@example.com"
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Forge:
    """Issues as GitHub and GitLab keep them; `between` runs before the next one is opened."""

    url: str = ""
    token: str = "ghp_hidden0123456789"
    issues: list[dict[str, Any]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    private: bool = False
    committed: str = "2026-01-01T00:00:00Z"
    lock: Lock = field(default_factory=Lock)
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def open(self) -> list[dict[str, Any]]:
        """Those that are open."""
        return [each for each in self.issues if each["state"] == "open"]

    def add(self, title: str, body: str, labels: list[str]) -> dict[str, Any]:
        """Open one; neither takes a longer title."""
        assert len(title) <= 255
        with self.lock:
            made = {"number": len(self.issues) + 1, "title": title, "body": body}
            made |= {"labels": labels, "state": "open", "comments": []}
            self.issues.append(made)
            return made

    def page(self, query: str) -> list[dict[str, Any]]:
        """A page of those that are open and labelled, the newest first."""
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        found = [each for each in reversed(self.open) if asked["labels"] in each["labels"]]
        size, page = int(asked["per_page"]), int(asked["page"])
        return found[(page - 1) * size : page * size]


@contextlib.contextmanager
def forge() -> Iterator[Forge]:
    """A server with both APIs over one list of issues."""
    state = Forge()

    class Handler(Quiet):
        def act(self) -> None:
            url = urlsplit(self.path)
            state.asked.append((self.command, url.path))
            given = json.loads(self.body() or "null")
            sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if state.token not in (sent, self.headers.get("PRIVATE-TOKEN")):
                self.answer(401, {"message": "Bad credentials"})
                return
            path = unquote(url.path)
            if path.startswith("/repos/someone/moved"):
                self.send_response(302)
                self.send_header("Location", state.url.replace("127.0.0.1", "localhost"))
                self.end_headers()
                return
            for pattern, play in ((GITHUB, github), (GITLAB, gitlab)):
                if match := re.fullmatch(pattern, path):
                    self.answer(*play(state, self.command, match[1], url.query, given))
                    return
            self.answer(404, {"message": "Not Found"})

        do_GET = do_POST = do_PATCH = do_PUT = act  # noqa: N815 - http.server calls them so

    with serving(Handler) as url:
        state.url = url
        yield state


GITHUB = r"/repos/someone/shop(/.*)?"
GITLAB = r"/api/v4/projects/group/sub/shop/issues(/.*)?"
Answer = tuple[int, Any]


def github(state: Forge, method: str, path: str | None, query: str, given: Any) -> Answer:
    """What GitHub answers."""
    if method == "GET":
        committed = {"commit": {"committer": {"date": state.committed}}}
        found = {None: {"private": state.private}, "/commits": [committed]}
        return 200, state.page(query) if path == "/issues" else found[path]
    if path == "/labels":
        is_new = given["name"] not in state.labels
        state.labels.add(given["name"])
        return (201, given) if is_new else (422, {"message": "Validation Failed"})
    if path == "/issues":
        assert set(given["labels"]) <= state.labels
        return 201, state.add(given["title"], given["body"], given["labels"])
    number = re.fullmatch(r"/issues/(\d+)(/comments)?", path or "")
    assert number, path
    issue = state.issues[int(number[1]) - 1]
    if number[2]:
        assert method == "POST"
        issue["comments"].append(given["body"])
        return 201, {"id": 1}
    assert (method, given) == ("PATCH", {"state": "closed"})
    issue["state"] = "closed"
    return 200, issue


def gitlab(state: Forge, method: str, path: str | None, query: str, given: Any) -> Answer:
    """What GitLab answers."""
    number = re.fullmatch(r"/(\d+)(/notes)?", path or "")

    def named(found: dict[str, Any]) -> dict[str, Any]:
        return {"iid": found["number"], "description": found["body"], "state": found["state"]}

    if method == "GET" and path is None:
        assert parse_qs(query)["state"] == ["opened"]
        return 200, [named(each) for each in state.page(query)]
    if method == "POST" and path is None:
        labels = given["labels"].split(",")
        return 201, named(state.add(given["title"], given["description"], labels))
    if number and method == "POST" and number[2]:
        state.issues[int(number[1]) - 1]["comments"].append(given["body"])
        return 201, {"id": 1}
    if number and method == "PUT" and given == {"state_event": "close"}:
        state.issues[int(number[1]) - 1]["state"] = "closed"
        return 200, named(state.issues[int(number[1]) - 1])
    return 404, {"message": "404 Not found"}
