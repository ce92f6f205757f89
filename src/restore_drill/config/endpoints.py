"""Which server, or account, a bucket of that name is at: others have buckets of the same name."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("STORAGE_EMULATOR_HOST",),
    "az": ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT"),
}
"""Variables that say it, by the scheme of the place; the first that is set counts."""
IN_STRING = re.compile(r"(?:^|;)\s*(BlobEndpoint|AccountName)=([^;]+)")


def endpoint_of(scheme: str) -> str:
    """`minio.example.org:9000`, or an account, as the environment names it; else empty.

    Nothing that is secret is in it.
    """
    text = next(filter(None, map(os.environ.get, ENDPOINTS.get(scheme, ()))), "")
    named: dict[str, str] = dict(IN_STRING.findall(text))
    text = named.get("BlobEndpoint") or named.get("AccountName") or text
    if "://" in text:
        found = urlsplit(text)
        return found.netloc.rpartition("@")[2] + found.path.rstrip("/")
    return "" if ";" in text or "=" in text else text.rpartition("@")[2]
