"""Keys that may be newer than the rows: what is counted, and the command that removes them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import redis

from restore_drill.config.criteria import load_criteria
from restore_drill.core.errors import UsageError
from restore_drill.redis.cached import count_cached, lines_on_cached
from restore_drill.redis.connection import Server
from restore_drill.redis.own.reach import own_redis
from restore_drill.redis.removal import removal
from tests.helpers.redis_servers import BINARIES, VERSIONS, Serve


def server_at(url: str) -> Server:
    """The server of `url`, which is not asked anything."""
    with own_redis(url) as server:
        return server


@pytest.mark.parametrize("binary", BINARIES, ids=VERSIONS)
def test_command_removes_just_the_keys_that_match(binary: str, serve: Serve, short: Path) -> None:
    """In sh and bash, by socket and database: whatever bytes a name has, and the drill's not."""
    socket = short / "it's:6379"
    running = serve("--unixsocket", str(socket), "--unixsocketperm", "777", binary=binary)
    other = running.admin
    other.set("card:other database", "x")
    url = f"unix://{socket}?db=3"
    with redis.Redis(unix_socket_path=str(socket), db=3) as client, own_redis(url) as server:
        for shell in ("sh", "bash"):
            names = [b"card:x\nsession:abc", b"session:abc", b"card:\xff\x00", b"card:\xfe\x00",
                     b"card: a\"b'c$(d)", *(b"card:%d" % n for n in range(3000))]  # fmt: skip
            client.mset(dict.fromkeys(names, "x"))
            (found,) = count_cached([server], ["card:*"], "restore-drill:", lambda *_: None)
            client.set("restore-drill:{a}:probe", "x")
            (every,) = count_cached([server], ["*"], "restore-drill:", lambda *_: None)

            assert (found["keys"], every["keys"]) == (3004, 3005)
            done = subprocess.run([shell, "-c", found["remove"]], capture_output=True, check=True)
            assert (done.stdout, done.stderr) == (b"removed\n", b"")
            assert sorted(client.keys("*")) == [b"restore-drill:{a}:probe", b"session:abc"]
    assert other.keys("*") == ["card:other database"]


def test_command_ends_where_the_server_refuses(serve: Serve) -> None:
    """It shows why, and does not go on."""
    running = serve(password="s3cret")
    command = removal(server_at(running.url(password="s3cret")), "card:*")["remove"]
    assert command is not None and "s3cret" not in command
    environment = {name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"}

    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=20,
        check=False,
    )  # fmt: skip

    assert "not removed: " in done.stdout
    assert "NOAUTH" in done.stdout


@pytest.mark.parametrize(
    ("url", "client"),
    [
        ("redis://cache", "-h cache -p 6379 -n 0"),
        ("redis://us%20er:pw@[::1]:7/5", "-h ::1 -p 7 -n 5 --user 'us er'"),
        ("unix:///run/prod:6379?db=3", "-s /run/prod:6379 -n 3"),
        ("unix:///run/a%20b", "-s '/run/a b' -n 0"),
        (
            "rediss://cache/1?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=none",
            "-h cache -p 6379 -n 1 --tls --cacert /etc/ca.pem --insecure",
        ),
    ],
)
def test_command_leads_to_the_server_of_the_url(url: str, client: str) -> None:
    """Host, port, socket, database, user and TLS are those that redis-py uses."""
    command = removal(server_at(url), "a'*")["remove"]

    assert command is not None
    assert f"$(redis-cli {client} EVAL " in command


def test_what_no_command_can_express_is_reported() -> None:
    """Then there is none, rather than one for another server."""
    for url, why in (
        ("rediss://cache?ssl_ca_data=abc", "redis-cli has no option for ssl_ca_data"),
        ("unix:///run/a%0Ab", "a character of REDIS_URL or of the pattern cannot be shown"),
    ):
        each = {"pattern": "card:*", "keys": 2, "complete": True, **removal(server_at(url), "*")}
        (line,) = lines_on_cached({"own": True, "cached": [each]})
        assert line.endswith(f"no command to remove them can be shown: {why}")
        assert "redis-cli -" not in line


@pytest.mark.parametrize("pattern", ["card\\n*", "card\\u001b*", "card\\u202e*", ""])
def test_pattern_that_cannot_be_shown_is_refused(pattern: str, tmp_path: Path) -> None:
    """Escaped in a command it would mean other keys."""
    path = tmp_path / "criteria.toml"
    path.write_text(f'[redis]\ncached = ["{pattern}"]\n')

    with pytest.raises(UsageError, match=r"without control characters; .* put \? in the place"):
        load_criteria(path)
