"""REDIS_URL as it is given: its scheme alone; what else it says is read where it is used."""

from __future__ import annotations

from restore_drill.config.options import usage_error
from restore_drill.config.values import scheme_of

REDIS_SCHEMES = {
    *("redis", "rediss", "unix", "valkey", "valkeys"),
    *("redis+sentinel", "rediss+sentinel", "valkey+sentinel", "valkeys+sentinel"),
}


def redis_url_of(given: dict[str, str | None]) -> str | None:
    """REDIS_URL with its scheme checked; its text is never repeated in an error."""
    url = given["redis_url"]
    if url is not None and scheme_of(url) not in REDIS_SCHEMES:
        raise usage_error(
            "redis_url",
            "is not a Redis URL (not shown: it may hold a password)",
            "write redis://host:6379/0, rediss:// for TLS, unix:///path "
            "or redis+sentinel://host:26379,host2/NAME/0",
        )
    return url
