"""Whose buckets are meant: those of two servers or accounts may be called the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("STORAGE_EMULATOR_HOST",),
    "az": (),
}
"""By the scheme of a URL: variables that name the server, the first that is set."""
PROFILES = ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
"""Where the server stands that no variable names, unless there is a key among the variables."""
OF_AZURE = (
    ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"),
    ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    ("AZURE_STORAGE_USE_EMULATOR",),
    ("AZURE_CONFIG_DIR",),
)
IN_STRING = re.compile(
    r"\b(?:AccountName|BlobEndpoint|EndpointSuffix|UseDevelopmentStorage)=[^;]*", re.IGNORECASE
)
"""What a connection string says of the account, without its key."""


def account_of(url: str, environment: Mapping[str, str]) -> str:
    """What tells the server or account of the bucket at `url` from others; empty for the usual one.

    It comes from the variables of `environment`. A server by SSH stands in its URL.
    """
    scheme = url.partition("://")[0].lower()
    if scheme == "az":
        text = environment.get("AZURE_STORAGE_CONNECTION_STRING", "")
        if text:
            return ";".join(sorted(IN_STRING.findall(text)))
        return ";".join(first_of(names, environment) for names in OF_AZURE).strip(";")
    if found := first_of(ENDPOINTS.get(scheme, ()), environment):
        return found.rstrip("/")
    if scheme == "s3" and not environment.get("AWS_ACCESS_KEY_ID"):
        return ";".join(environment.get(name, "") for name in PROFILES).strip(";")
    return ""


def first_of(names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The value of the first of the variables `names` that is set, and not empty."""
    return next((environment[name] for name in names if environment.get(name)), "")
