"""Where the ecosystem of AWS keeps its credentials: variables, then the profile in ~/.aws.

The library itself reads the variables, and asks for the roles of instances, containers and
workloads; of profiles it knows nothing.
"""

from __future__ import annotations

import os
from configparser import ConfigParser, Error
from contextlib import suppress
from pathlib import Path

KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint_url": "endpoint",
}
REGION = "us-east-1"
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def s3_options() -> dict[str, str]:
    """Options of a bucket: of the profile, so far as no variable says otherwise."""
    options = {} if os.environ.get("AWS_ACCESS_KEY_ID") else profile(named_profile())
    endpoints = [os.environ[name] for name in ENDPOINTS if name in os.environ]
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    options["region"] = region or options.get("region", REGION)
    if endpoint := next(filter(None, endpoints), ""):
        options["endpoint"] = endpoint
    elif endpoints:  # the library takes an empty variable for a URL
        options.setdefault("endpoint", f"https://s3.{options['region']}.amazonaws.com")
    return options


def named_profile() -> str:
    """Name of the profile that is meant."""
    return os.environ.get("AWS_PROFILE") or "default"


def profile(name: str) -> dict[str, str]:
    """What the files of AWS say of the profile `name`; nothing where they say nothing."""
    home = Path("~/.aws").expanduser()
    config = os.environ.get("AWS_CONFIG_FILE") or home / "config"
    shared = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"
    parser = ConfigParser(interpolation=None)
    with suppress(Error, OSError, UnicodeDecodeError):
        parser.read([config, shared], encoding="utf-8")
    found: dict[str, str] = {}
    for section in (f"profile {name}", name):
        if parser.has_section(section):
            found |= {KEYS[key]: value for key, value in parser.items(section) if key in KEYS}
    return found
