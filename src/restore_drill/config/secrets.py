"""What the settings hold that is shown nowhere, beside the passwords in URLs of servers."""

from __future__ import annotations

from restore_drill.config.remote import places
from restore_drill.config.settings import Settings

SIGNATURE = 16
"""Characters that a signature has at least."""


def secrets_of(settings: Settings) -> list[str]:
    """Keys of backups, and what signs the links to them."""
    return [*settings.decrypt.secrets, *signatures()]


def signatures() -> list[str]:
    """The parameters of links, as a whole and each long one: a signature has no other place."""
    queries = [place.link.partition("?")[2] for place in places.values() if "?" in place.link]
    values = [each.partition("=")[2] for query in queries for each in query.split("&")]
    return [*queries, *(value for value in values if len(value) >= SIGNATURE)]
