"""What a server may be asked, and which it refuses: nothing of it touches a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis

Skip = Callable[[str, str], None]
"""Hears of what was not reported, and why."""


def permitted(call: Callable[[], Any], what: str, skip: Skip) -> Any:
    """Answer of `call`, or None where the server refuses it, which `skip` hears of."""
    import redis  # noqa: PLC0415 - loads slowly

    try:
        return call()
    except redis.ResponseError as error:
        skip(what, f"Redis refused to report it ({type(error).__name__})")
        return None


def hello(client: redis.Redis) -> dict[str, Any]:
    """Answer of HELLO: `server`, `version`, `mode` and `role`; any user may ask, from Redis 6 on.

    Empty where the server does not know it.
    """
    import redis  # noqa: PLC0415 - loads slowly

    ask: Callable[..., Any] = client.execute_command
    try:
        answer = ask("HELLO")
    except redis.ResponseError:
        return {}
    return {str(key): value for key, value in zip(answer[::2], answer[1::2], strict=False)}
