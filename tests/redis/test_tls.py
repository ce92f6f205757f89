"""REDIS_URL with TLS: certificates of both sides, and what is wrong with one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from port_for import select_random

from restore_drill.redis.own.address import url_error
from tests.helpers.redis_servers import Look, Serve
from tests.helpers.redis_tls import Authority

SERVER = "/usr/bin/redis-server"
"""The wheel's Valkey is built without TLS."""
pytestmark = pytest.mark.skipif(not Path(SERVER).exists(), reason="no Redis with TLS is here")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of this test's own."""
    return Authority(tmp_path)


def test_client_certificate_lets_the_drill_in(
    look: Look, serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With certificate, key and authority; these also by the environment, and with a passphrase."""
    port = select_random()
    serve(*authority.options(port), binary=SERVER)
    url = f"rediss://127.0.0.1:{port}/0?{authority.issue('app')}"
    locked = authority.issue("locked", passphrase="hush") + "&ssl_password=hush"

    for given in (f"{url}&ssl_ca_certs={authority.ca}",
                  f"rediss://127.0.0.1:{port}/0?{locked}&ssl_ca_certs={authority.ca}"):  # fmt: skip
        stage = look(given).stage
        assert stage.nodes[0].facts.write == "ok" and stage.nodes[0].server.tls
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    assert look(url).stage.nodes[0].facts.write == "ok"


def test_what_is_wrong_with_a_certificate_is_named(
    look: Look, serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    """Each cause has its own words and its remedy; nothing waits for a passphrase."""
    port = select_random()
    serve(*authority.options(port), binary=SERVER)
    (tmp_path / "other").mkdir()
    rogue = Authority(tmp_path / "other").issue("rogue")
    good, trust = authority.issue("app"), f"&ssl_ca_certs={authority.ca}"
    locked = authority.issue("locked", passphrase="hush")
    os.environ.pop("SSL_CERT_FILE", None)
    cases = {
        trust: "client certificate",  # refused, or ended the connection: which comes first
        rogue + trust: "client certificate",
        good: "has a certificate of an authority that this machine does not trust",
        locked + trust: "a certificate or key of REDIS_URL is unreadable or does not fit",
        f"{locked}&ssl_password=wrong{trust}": "is unreadable or does not fit",
        good.replace("app.key", "server.key") + trust: "is unreadable or does not fit",
        f"{good}&ssl_ca_certs={__file__}": "is unreadable or does not fit",
        good + trust + "x": "a certificate file named in REDIS_URL does not exist",
    }
    for options, reason in cases.items():
        story = look(f"rediss://127.0.0.1:{port}/0?{options.lstrip('&')}").fault
        assert reason in story, options
        assert "1. " in story and "wrong" not in story
        assert "ssl_certfile=" in story or "client certificate" not in story
    assert "closed the connection" in look(f"redis://127.0.0.1:{port}/0").fault


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"address": "10.9.8.7"}, "has a certificate for other host names"),
        ({"days": -1}, "has a certificate that has expired"),
    ],
    ids=["other host", "expired"],
)
def test_certificate_of_the_server_that_does_not_fit_is_named(
    look: Look, serve: Serve, authority: Authority, how: dict[str, object], reason: str
) -> None:
    """For another address, or of yesterday."""
    port = select_random()
    options = authority.options(port)
    authority.issue("server", **how)  # type: ignore[arg-type]
    serve(*options, binary=SERVER)
    url = f"rediss://127.0.0.1:{port}/0?{authority.issue('app')}&ssl_ca_certs={authority.ca}"

    assert reason in look(url).fault


def test_key_without_its_certificate_is_a_usage_error() -> None:
    """Python would end with a traceback."""
    error = url_error("rediss://host/0?ssl_keyfile=/k")
    assert error == "names a key (ssl_keyfile) without its certificate (ssl_certfile)"
