"""Issues of GitHub and GitLab by their APIs: listed, opened, commented, closed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

from restore_drill.alerts.delivery import Undelivered
from restore_drill.alerts.web import call

LABEL = "restore-drill"
COLOUR, DESCRIPTION = "B60205", "The restore drill needs attention"
PAGE = 100
MOST_PAGES = 50
WANTED = "write github:OWNER/REPOSITORY or gitlab:GROUP/PROJECT"
WHY = {
    "HTTP 401": "the token is not accepted",
    "HTTP 403": "the token may not write issues",
    "HTTP 404": "there is no such project, or the token does not reach it",
    "HTTP 410": "issues are switched off there",
    **dict.fromkeys(
        ("HTTP 301", "HTTP 302", "HTTP 307", "HTTP 308"), "it has moved to another address"
    ),
}
"""What an answer means here."""


class Issue(NamedTuple):
    """An open issue."""

    number: int
    body: str


class Tracker(Protocol):
    """Where issues are kept; every call raises Undelivered."""

    def issues(self) -> list[Issue]:
        """All open issues with LABEL, the oldest first."""

    def create(self, title: str, body: str) -> Issue:
        """Open an issue with LABEL."""

    def comment(self, number: int, body: str) -> None:
        """Comment on an issue."""

    def close(self, number: int) -> None:
        """Close an issue."""


class Api:
    """An API below `base`, which gets `headers` with every request."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        """Nothing is sent yet."""
        self.base = base.rstrip("/")
        self.headers = headers

    def __call__(self, method: str, path: str, **values: Any) -> Any:
        """Answer to `method` of `path`; `values` are sent as JSON."""
        try:
            return call(f"{self.base}/{path}", method, self.headers, values or None)
        except Undelivered as error:
            why = f"{error.why}: {WHY[error.why]}" if error.why in WHY else error.why
            raise Undelivered(why, is_final=error.is_final) from None

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Everything that a list holds."""
        for page in range(1, MOST_PAGES + 1):
            asked = urlencode({**query, "per_page": PAGE, "page": page})
            found = self("GET", f"{path}?{asked}")
            if not isinstance(found, list):
                raise Undelivered("the answer is not a list of issues", is_final=True)
            yield from found
            if len(found) < PAGE:
                return


class GitHub:
    """Issues of a repository on GitHub or GitHub Enterprise."""

    def __init__(self, repository: str, token: str, base: str) -> None:
        """Of the `repository` `owner/name` at the API `base`."""
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        self.api = Api(base, headers)
        self.path = f"repos/{quote(repository)}"

    def issues(self) -> list[Issue]:
        """All open issues with LABEL, the oldest first; pull requests are none."""
        found = self.api.pages(f"{self.path}/issues", state="open", labels=LABEL)
        return sorted(issue(each, "number", "body") for each in found if "pull_request" not in each)

    def create(self, title: str, body: str) -> Issue:
        """Open an issue with LABEL, which is made where there is none."""
        try:
            self.api("POST", f"{self.path}/labels", name=LABEL, color=COLOUR,
                     description=DESCRIPTION)  # fmt: skip
        except Undelivered as error:
            if error.why != "HTTP 422":  # it is there
                raise
        made = self.api("POST", f"{self.path}/issues", title=title, body=body, labels=[LABEL])
        if not (isinstance(made, dict) and made.get("labels")):
            raise Undelivered("the token may not set labels: no drill will find it", is_final=True)
        return issue(made, "number", "body")

    def comment(self, number: int, body: str) -> None:
        """Comment on an issue."""
        self.api("POST", f"{self.path}/issues/{number}/comments", body=body)

    def close(self, number: int) -> None:
        """Close an issue."""
        self.api("PATCH", f"{self.path}/issues/{number}", state="closed")


class GitLab:
    """Issues of a project on GitLab."""

    def __init__(self, project: str, token: str, base: str) -> None:
        """Of the `project` `group/name`, or its number, at the API `base`."""
        self.api = Api(base, {"PRIVATE-TOKEN": token})
        self.path = f"projects/{quote(project, safe='')}/issues"

    def issues(self) -> list[Issue]:
        """All open issues with LABEL, the oldest first."""
        found = self.api.pages(self.path, state="opened", labels=LABEL)
        return sorted(issue(each, "iid", "description") for each in found)

    def create(self, title: str, body: str) -> Issue:
        """Open an issue with LABEL, which GitLab makes where there is none."""
        made = self.api("POST", self.path, title=title, description=body, labels=LABEL)
        return issue(made, "iid", "description")

    def comment(self, number: int, body: str) -> None:
        """Comment on an issue."""
        self.api("POST", f"{self.path}/{number}/notes", body=body)

    def close(self, number: int) -> None:
        """Close an issue."""
        self.api("PUT", f"{self.path}/{number}", state_event="close")


def issue(found: Any, number: str, body: str) -> Issue:
    """The issue that an API describes as `found`."""
    try:
        return Issue(int(found[number]), str(found[body] or ""))
    except (KeyError, TypeError, ValueError):
        raise Undelivered("the answer is not an issue: is this the address of an API?") from None


def tracker_of(place: str, environment: Mapping[str, str]) -> Tracker:
    """Where DRILL_ISSUES says that issues are kept; Undelivered where it or the token is wrong.

    The API is that of the CI job that runs here, else the public one.
    """
    kind, _, project = place.partition(":")
    get = environment.get
    if kind == "github" and re.fullmatch(r"[\w.-]+/[\w.-]+", project):
        token = token_of(environment, "GITHUB_TOKEN", "GH_TOKEN")
        return GitHub(project, token, get("GITHUB_API_URL") or "https://api.github.com")
    if kind == "gitlab" and re.fullmatch(r"[\w.-]+(/[\w.-]+)+|\d+", project):
        token = token_of(environment, "GITLAB_TOKEN")
        return GitLab(project, token, get("CI_API_V4_URL") or "https://gitlab.com/api/v4")
    raise Undelivered(f"DRILL_ISSUES names no project; {WANTED}", is_final=True)


def token_of(environment: Mapping[str, str], *names: str) -> str:
    """The token in one of these variables."""
    token = next((environment[name].strip() for name in names if environment.get(name)), "")
    if not token:
        raise Undelivered(f"no token: set {names[0]}", is_final=True)
    if not token.isascii() or not token.isprintable():
        raise Undelivered(f"{names[0]} is not a token (not shown)", is_final=True)
    return token
