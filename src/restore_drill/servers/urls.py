"""URLs of a database as libraries want them: libpq, psycopg, SQLAlchemy, Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from restore_drill.core.redact import MASK
from restore_drill.servers.model import Target

READ_ONLY = "-c default_transaction_read_only=on"
DJANGO_KEYWORDS = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}


class Secret(str):
    """A text that holds a password; its repr, which failing tests show, does not."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Mask in place of the text."""
        return f"<{type(self).__name__} {MASK}>"


class DatabaseUrl(Secret):
    """`postgresql://user:password@host/name?...` of a database, for libpq, psycopg and others.

    `.sqlalchemy` names the driver too, `.django` is an entry of Django's DATABASES.
    """

    __slots__ = ("keywords", "password")

    keywords: Mapping[str, str]
    password: str | None

    @classmethod
    def of(cls, target: Target, *, read_only: bool = False) -> DatabaseUrl:
        """URL of the database of `target`; its sessions cannot write with `read_only`.

        Nor do those run event triggers: one at login that writes would end them.
        """
        keywords = dict(target.keywords if read_only else target.conninfo)
        if read_only:
            keywords["options"] = f"{keywords.get('options', '')} {READ_ONLY}".strip()
        url = cls(url_of("postgresql", keywords, target.password))
        url.keywords, url.password = keywords, target.password
        return url

    @property
    def sqlalchemy(self) -> Secret:
        """URL for SQLAlchemy with psycopg 3: `create_engine(restored_url.sqlalchemy)`."""
        return Secret(url_of("postgresql+psycopg", self.keywords, self.password))

    @property
    def django(self) -> dict[str, Any]:
        """Entry of Django's DATABASES: `DATABASES={"default": restored_url.django}`."""
        known = {new: self.keywords.get(old, "") for old, new in DJANGO_KEYWORDS.items()}
        options = {key: text for key, text in self.keywords.items() if key not in DJANGO_KEYWORDS}
        engine = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options}
        return engine | known | {"PASSWORD": Secret(self.password or "")}


def url_of(scheme: str, keywords: Mapping[str, str], password: str | None) -> str:
    """URL of libpq's `keywords`; the directory of a socket stands in the query, for all readers."""
    rest = dict(keywords)
    host, port = rest.get("host", ""), rest.get("port", "")
    place = ""
    if host and not host.startswith(("/", "@")) and "," not in host:
        place = f"[{host}]" if ":" in host else host
        place += f":{port}" if port else ""
        rest.pop("host")
        rest.pop("port", None)
    login = quote(rest.pop("user", ""), safe="")
    login += f":{quote(password, safe='')}" if password else ""
    name = quote(rest.pop("dbname", ""), safe="")
    query = urlencode(rest, quote_via=quote, safe="/")
    return f"{scheme}://{login}{'@' if login else ''}{place}/{name}" + (
        f"?{query}" if query else ""
    )
