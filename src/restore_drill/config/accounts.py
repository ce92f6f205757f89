"""Whose buckets are meant: those of two servers or accounts may be called the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

SERVERS: Mapping[str, tuple[str, ...]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("STORAGE_EMULATOR_HOST",),
    "az": (
        "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT",
        "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_USE_EMULATOR",
    ),
}  # fmt: skip
"""By the scheme of a URL: variables that name the server or the account, the first that is set."""
IN_STRING = re.compile(r"(?:^|;)\s*(BlobEndpoint|AccountName)=([^;]+)", re.IGNORECASE)
"""What a connection string of Azure says of both."""
FILES: Mapping[str, tuple[str, ...]] = {
    "s3": ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    "az": ("AZURE_CONFIG_DIR",),
}
"""Where a server stands that no variable names."""


def server_of(url: str, environment: Mapping[str, str]) -> str:
    """`minio.example.org:9000`, or an account, as `environment` has it of the bucket at `url`.

    Empty for the usual one. Nothing in it is secret. A server by SSH stands in its URL.
    """
    text = first_of(SERVERS.get(scheme_of(url), ()), environment)
    found = {name.lower(): value for name, value in IN_STRING.findall(text)}
    text = found.get("blobendpoint") or found.get("accountname") or text
    if "://" in text:
        rest = text.partition("://")[2].partition("?")[0]
        authority, slash, path = rest.partition("/")
        return (authority.rpartition("@")[2] + slash + path).rstrip("/")
    if ";" in text or "=" in text:  # a connection string with neither: it may be all secret
        return "emulator" if "usedevelopmentstorage=true" in text.lower() else ""
    return text


def account_of(url: str, environment: Mapping[str, str]) -> str:
    """What tells the server or account of the bucket at `url` from others; empty for the usual one.

    Where no variable names it, that is the file which does, unless there is a key of AWS.
    """
    if found := server_of(url, environment):
        return found
    if environment.get("AWS_ACCESS_KEY_ID") and scheme_of(url) == "s3":
        return ""
    names = FILES.get(scheme_of(url), ())
    return ";".join(environment.get(name, "") for name in names).strip(";")


def scheme_of(url: str) -> str:
    """What stands before `://`."""
    return url.partition("://")[0].lower()


def first_of(names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The value of the first of the variables `names` that is set, and not empty."""
    return next((environment[name] for name in names if environment.get(name)), "")
