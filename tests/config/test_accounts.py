"""Buckets of the same name on other servers are other places."""

from __future__ import annotations

import pytest

from restore_drill.config.accounts import account_of, server_of
from restore_drill.config.remote import place_given

STRING = "AccountName=acme;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


@pytest.mark.parametrize(
    ("scheme", "variables", "server"),
    [
        ("s3", {}, ""),
        ("s3", {"AWS_ENDPOINT_URL": "https://a.example:9000/"}, "a.example:9000"),
        ("s3", {"AWS_ENDPOINT_URL_S3": "http://u:pw@b", "AWS_ENDPOINT_URL": "http://c"}, "b"),
        ("gs", {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9023"}, "127.0.0.1:9023"),
        ("az", {"AZURE_STORAGE_ACCOUNT": "acme"}, "acme"),
        ("az", {"AZURE_STORAGE_CONNECTION_STRING": STRING}, "acme"),
        ("az", {"AZURE_STORAGE_CONNECTION_STRING": "SharedAccessSignature=s3cret"}, ""),
        ("az", {"AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true"}, "emulator"),
        ("sftp", {"AWS_ENDPOINT_URL": "http://c"}, ""),
    ],
)
def test_which_server(scheme: str, variables: dict[str, str], server: str) -> None:
    """As the environment names it, without what is secret."""
    assert server_of(f"{scheme}://backups/pg", variables) == server


def test_a_profile_names_an_account_too() -> None:
    """Unless there is a key, which the profile then does not give."""
    own = {"AWS_PROFILE": "minio"}
    assert account_of("s3://b", own) == "minio"
    assert account_of("s3://b", own | {"AWS_ACCESS_KEY_ID": "a"}) == account_of("s3://b", {}) == ""


def test_places_of_two_servers_have_two_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process, too."""
    found = set()
    for server in ("", "http://a.example", "http://b.example"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", server)
        given = place_given("s3://backups/pg", "backup_path", is_file=False)
        assert given is not None and given[0].url == "s3://backups/pg/"
        found.add(given[0].mirror)
    assert len(found) == 3
