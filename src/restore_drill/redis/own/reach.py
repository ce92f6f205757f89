"""The user's own Redis reached, in whatever form REDIS_URL names it; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from restore_drill.redis.asking import Skip, hello
from restore_drill.redis.connection import Server, beside, client_of, server_of
from restore_drill.redis.faults import explain
from restore_drill.redis.outcome import Reached
from restore_drill.redis.own.address import address_of
from restore_drill.redis.own.cluster import shards_of
from restore_drill.redis.own.sentinel import Watch, ask, only_name, sentinels_of

if TYPE_CHECKING:
    import redis


@contextmanager
def own_redis(url: str) -> Iterator[Server]:
    """Client of the server at `url`; nothing is sent before the first command."""
    server = server_of(client_of(address_of(url).url), own=True)
    with closing(server.client):
        yield server


def reach(url: str, skip: Skip, stack: ExitStack) -> Reached:
    """Find the servers that `url` leads to; `stack` closes what is opened.

    A Sentinel is asked for its primary, a node of a cluster for its shards. Raises `DrillError`.
    """
    import redis  # noqa: PLC0415 - loads slowly

    address = address_of(url)
    entry = stack.enter_context(own_redis(url))
    if address.sentinels:
        watch = ask(closed_by(stack, *sentinels_of(address, entry)), address.name, skip)
        return Reached(closed_by(stack, named_by(watch, entry)), watch)
    try:
        mode = mode_of(entry, stack)
        if mode == "sentinel":
            host = entry.where.rpartition("/")[0]
            (sentinel,) = closed_by(
                stack, replace(beside(entry, db=0), kind="Sentinel", where=host)
            )
            watch = ask([sentinel], only_name(sentinel), skip)
            return Reached(closed_by(stack, named_by(watch, entry)), watch)
        if mode == "cluster":
            cluster, servers = shards_of(entry, skip)
            return Reached(closed_by(stack, *servers), cluster=cluster)
    except redis.RedisError as error:
        raise explain(error, entry, "asking PING and HELLO") from None
    return Reached((entry,))


def mode_of(entry: Server, stack: ExitStack) -> str:
    """`standalone`, `cluster` or `sentinel`; raises `redis.RedisError` where it does not answer.

    A Sentinel knows no SELECT: with a number of a database it refuses every connection.
    """
    import redis  # noqa: PLC0415 - loads slowly

    try:
        entry.client.ping()
    except redis.ConnectionError as error:
        if "not ready" not in str(error):
            raise
        raise said_unasked(entry) or error from None
    except redis.ResponseError as error:
        (plain,) = closed_by(stack, beside(entry, db=0))
        if "select" not in str(error).lower() or hello(plain.client).get("mode") != "sentinel":
            raise
        return "sentinel"
    known = hello(entry.client).get("mode")
    if known is None:
        try:
            known = entry.client.info().get("redis_mode")
        except redis.ResponseError:
            known = None
    return str(known or "standalone")


def said_unasked(server: Server) -> redis.RedisError | None:
    """The error that `server` sends whoever connects, in protected mode or with too many clients.

    redis-py calls that "Connection not ready", and does not read it.
    """
    import redis  # noqa: PLC0415 - loads slowly

    connection: Any = server.client.connection_pool.make_connection()
    try:
        connection.connect()
        if connection.can_read(0.1):
            connection.read_response()
    except redis.RedisError as error:
        return error
    finally:
        connection.disconnect()
    return None


def named_by(watch: Watch, entry: Server) -> Server:
    """The primary that `watch` names, by the login and the options of `entry`."""
    found_by = f"the primary {watch.name} by Sentinel {next(iter(watch.answers))}"
    host, port = watch.primary
    return replace(beside(entry, host=host, port=port), found_by=found_by)


def closed_by(stack: ExitStack, *servers: Server) -> tuple[Server, ...]:
    """`servers`, whose connections `stack` closes."""
    for server in servers:
        stack.callback(server.client.close)
    return servers
