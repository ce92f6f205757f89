"""Texts of the fleet file with `${NAME}` in them, which stands for a variable of the run's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from restore_drill.config.alerts import TOKEN
from restore_drill.config.criteria.place import Place

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SECRET_NAMES = re.compile(
    r"PASS(WORD|WD|PHRASE)|SECRET|TOKEN|ACCOUNT_KEY|DECRYPT_KEY$|^DRILL_(NOTIFY|PING)$"
)
"""Names of variables whose values are secrets; those of files that hold one end with `_FILE`."""
BY_REFERENCE = "put it into a variable of the environment that the fleet runs in, and write ${NAME}"

AT_FRONT = re.compile(r"://[\w~-]{16,}(?=[/@:?]|$)")
"""A long word without a dot where a host is: `slack://xoxb-...`."""
IN_QUERY = re.compile(r"[?&](pass|password|token|apikey|secret)=(?!\$\{)[^&]", re.IGNORECASE)


@dataclass(frozen=True)
class Template:
    """A `text` that stands at `place`: with references, or without."""

    place: Place
    text: str

    def resolved(self, environment: Mapping[str, str]) -> str:
        """The text with the values of `environment`; UsageError that names one that is not set.

        An empty one is not set: a CI system gives that for a secret which it does not have.
        """
        for name in REFERENCE.findall(self.text):
            if not environment.get(name):
                what = f"{self.place.name} needs the variable {name}, which is unset or empty"
                raise self.place.error(f"{what}; set it where the fleet is started")
        return REFERENCE.sub(lambda found: environment[found[1]], self.text)


def template_at(place: Place, text: str) -> Template:
    """The template that `text` is; UsageError, which does not repeat it, for a broken reference."""
    if "${" in REFERENCE.sub("", text):
        what = "has a ${ that begins no reference; write ${NAME}, the name of a variable"
        raise place.error(f"{place.name} {what}")
    return Template(place, text)


def refuse_password(place: Place, text: str) -> None:
    """Refuse a password that is written out in a URL or a connection string."""
    from restore_drill.core.redact import passwords  # noqa: PLC0415 - brings psycopg

    if not all(REFERENCE.search(each) for each in passwords(text)):
        what = f"{place.name} holds a password (not shown)"
        raise place.error(f"{what}; {BY_REFERENCE} in its place")


def refuse_secret(place: Place, text: str) -> None:
    """Refuse the value of a variable whose name says that it is a secret, and a password in any."""
    is_secret = SECRET_NAMES.search(place.name) and not place.name.endswith("_FILE")
    if is_secret and not REFERENCE.search(text):
        raise place.error(f"{place.name} is a secret (not shown); {BY_REFERENCE}")
    refuse_password(place, text)


def refuse_token(place: Place, text: str) -> None:
    """Refuse the URL of a channel that has a password or a token in it."""
    refuse_password(place, text.partition("?")[0])  # behind it are addresses: to=ann@example.org
    plain = REFERENCE.sub("", text)
    if TOKEN.search(plain) or AT_FRONT.search(plain) or IN_QUERY.search(text):
        what = f"{place.name} holds the URL of a channel with a token in it (not shown)"
        raise place.error(f"{what}; {BY_REFERENCE}")
