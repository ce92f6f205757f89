"""Going over all keys of the drill's own server while none of them goes: each is seen once.

SCAN may show a key twice where the table of keys is made smaller in between. So all of a database
is one call of a script, and what expires meanwhile stays in the table until the pass has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from restore_drill.redis.connection import Server, beside

if TYPE_CHECKING:
    import redis

PAUSE = 600_000
"""Milliseconds after which a server goes on by itself: longer than any pass."""
SHORT = 1.0
"""Seconds to wait for a server whose script was not waited for: it may run on."""
CLOCK = """
local has_clock, clock = pcall(function() return os.clock end)
local function now()
  if has_clock then return clock() end
  local at = redis.call('TIME')
  return at[1] + at[2] / 1000000
end
"""
"""Seconds, in a script: where TIME stands still in one there is another clock."""
Ask = Callable[..., Any]
"""Runs a script, with its arguments, on a client; no key goes before the pass has ended."""


@contextmanager
def standstill(server: Server) -> Iterator[Ask]:
    """Have no key of the drill's own `server` go, and give what runs scripts there meanwhile.

    A server before 7.0 makes its table smaller only between two scripts, and has none that run
    while writes are paused.
    """
    version = str(server.client.info("server").get("redis_version", "0"))
    if int(version.partition(".")[0]) < 7:
        yield evaluated("EVAL")
        return
    order: Ask = server.client.execute_command
    order("CLIENT", "PAUSE", PAUSE, "WRITE")  # which holds up what expires too
    try:
        yield evaluated("EVAL_RO")
    except BaseException:
        import redis  # noqa: PLC0415 - loads slowly

        with (
            suppress(redis.RedisError),
            closing(beside(server, socket_timeout=SHORT).client) as one,
        ):
            one.execute_command("CLIENT", "UNPAUSE")  # type: ignore[no-untyped-call]
        raise
    order("CLIENT", "UNPAUSE")


def evaluated(command: str) -> Ask:
    """What runs a script by this `command`."""

    def ask(client: redis.Redis, script: str, arguments: Sequence[str]) -> Any:
        call: Ask = client.execute_command
        return call(command, script, 0, *arguments)

    return ask
