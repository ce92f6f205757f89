"""REDIS_URL read: the URL of a server, or Sentinels and the name of what they watch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from restore_drill.redis.connection import client_of

SPECIAL = "percent-encode special characters in its password (@ is %40, # is %23, / is %2F)"
SENTINEL = "redis+sentinel://host:26379,host2/NAME/0"
SENTINEL_PORT = 26379
LONGEST = 3600
"""Seconds that a URL may have the drill wait for an answer."""
SAME = {"valkey": "redis", "valkeys": "rediss"}
"""Schemes of valkey-py, and what redis-py calls the same."""
FORMS = "write redis://host:6379/0, rediss:// for TLS, unix:///path or " + SENTINEL


class Unnamed(ValueError):
    """A URL of Sentinels that lacks something; its text repeats nothing of it."""


@dataclass(frozen=True)
class Address:
    """Where REDIS_URL leads: to the server at `url`, which redis-py reads.

    Where it names `sentinels` (host and port), `url` has the login, the database and the options of
    the server called `name`, of which they know host and port; `sentinel_login` is their own.
    """

    url: str = field(repr=False)
    sentinels: tuple[tuple[str, int], ...] = ()
    name: str = ""
    sentinel_login: dict[str, str] = field(default_factory=dict, repr=False)


def address_of(url: str) -> Address:
    """Read `url`; raises ValueError, which repeats nothing of it, where it means nothing."""
    parts = urlsplit(url)
    scheme, is_sentinel, _ = parts.scheme.partition("+sentinel")
    scheme = SAME.get(scheme, scheme)
    if not is_sentinel:
        return Address(f"{scheme}:{url.partition(':')[2]}")
    login, at, places = parts.netloc.rpartition("@")
    name, _, database = parts.path.strip("/").partition("/")
    if not name:
        raise Unnamed(f"names no primary for its Sentinels to find: write {SENTINEL}")
    sentinels = tuple(place_of(place) for place in places.split(",") if place)
    if not sentinels:
        raise Unnamed(f"names no Sentinel: write {SENTINEL}")
    given = parse_qsl(parts.query, keep_blank_values=True)
    options = urlencode([each for each in given if not each[0].startswith("sentinel_")])
    host, port = sentinels[0]
    host = f"[{host}]" if ":" in host else host
    return Address(
        f"{scheme}://{login}{at}{host}:{port}/{database}{'?' if options else ''}{options}",
        sentinels,
        unquote(name),
        dict(login_of(given)),
    )


def place_of(place: str) -> tuple[str, int]:
    """Host and port of one Sentinel; raises ValueError."""
    parts = urlsplit(f"//{place}")
    if not parts.hostname:
        raise Unnamed(f"has a Sentinel without a host: write {SENTINEL}")
    return parts.hostname, parts.port or SENTINEL_PORT


def login_of(given: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The Sentinels' own login, of options like `sentinel_password`; raises ValueError."""
    for option, value in given:
        if option.startswith("sentinel_"):
            if option not in ("sentinel_username", "sentinel_password"):
                raise Unnamed("has an unknown option after its ? that begins with sentinel_")
            yield option.removeprefix("sentinel_"), value


def url_error(url: str) -> str | None:
    """What is wrong with `url` without repeating any of it; None when it can be used.

    redis-py alone would take `/cache` for database 0, and what follows a bare `#` or `/` in a
    password for nothing or for a path, and so check another Redis than the one meant.
    """
    try:
        given, read = urlsplit(url), address_of(url).url
        parts = urlsplit(read)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except Unnamed as error:
        return str(error)
    except ValueError:
        return f"has no readable host and port; {SPECIAL}"
    if given.fragment or "@" in given.query or (given.scheme != "unix" and "@" in given.path):
        return f"has an unescaped # or @ after its host; {SPECIAL}"
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
        return f"does not end with a database number, as in /0; {SPECIAL}"
    return options_error(read)


def options_error(url: str) -> str | None:
    """What is wrong with the options after the ? of `url`, which redis-py reads."""
    import redis  # noqa: PLC0415 - loads slowly

    try:
        client = client_of(url)
        client.connection_pool.make_connection()
    except (ValueError, TypeError, redis.RedisError):
        return "has an option after its ? that redis-py does not know or cannot read"
    options = client.connection_pool.connection_kwargs
    waits = [options[name] for name in ("socket_timeout", "socket_connect_timeout")]
    if not all(0 < seconds <= LONGEST for seconds in waits):
        return "has a timeout that is not above 0 and an hour at most"
    if options.get("ssl_keyfile") and not options.get("ssl_certfile"):
        return "names a key (ssl_keyfile) without its certificate (ssl_certfile)"
    return None
