"""Where the ecosystem of Azure keeps its credentials: variables, the config of `az`, its login.

The library reads its own variables, and asks for the identity of machines and workloads. Connection
strings, and the names that `az` has for the rest, are read here.
"""

from __future__ import annotations

import os
import shutil
from configparser import ConfigParser, Error
from contextlib import suppress
from pathlib import Path

AZ = {
    "AZURE_STORAGE_ACCOUNT": "account_name",
    "AZURE_STORAGE_KEY": "account_key",
    "AZURE_STORAGE_SAS_TOKEN": "sas_key",
}
"""Variables of `az`; in its config they have the same names, without what they begin with."""
IN_STRING = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_key",
    "BlobEndpoint": "endpoint",
}
EMULATOR = (
    "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/"
    "KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"
)
"""What `UseDevelopmentStorage=true` stands for; the key is everybody's, see the docs of Azurite."""
OWN_IDENTITY = (
    "AZURE_STORAGE_CLIENT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_MSI_ENDPOINT", "AZURE_IDENTITY_ENDPOINT", "IDENTITY_ENDPOINT",
)  # fmt: skip
"""Variables of the library that say who asks: then the login of `az` is not needed."""


def az_options() -> dict[str, str]:
    """Options of a container: of the connection string, else of variables, else of `az`."""
    config = config_of_az()
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING") or config.get("connection_string", "")
    if text:
        return of_string(text)
    found = {
        option: value
        for name, option in AZ.items()
        if (
            value := os.environ.get(name) or config.get(name.removeprefix("AZURE_STORAGE_").lower())
        )
    }
    is_known = {"account_key", "sas_key"} & {*found} or any(map(os.environ.get, OWN_IDENTITY))
    if not is_known and folder_of_az().is_dir() and shutil.which("az"):
        found["use_azure_cli"] = "true"
    return found


def of_string(text: str) -> dict[str, str]:
    """What a connection string says; nothing in it is checked here."""
    parts = dict(part.strip().partition("=")[::2] for part in text.split(";") if part.strip())
    if parts.get("UseDevelopmentStorage", "").lower() == "true":
        return of_string(EMULATOR)
    found = {option: parts[name] for name, option in IN_STRING.items() if parts.get(name)}
    suffix = parts.get("EndpointSuffix")
    if "endpoint" not in found and suffix and "account_name" in found:
        scheme = parts.get("DefaultEndpointsProtocol", "https")
        found["endpoint"] = f"{scheme}://{found['account_name']}.blob.{suffix}"
    return found


def folder_of_az() -> Path:
    """Folder in which `az` keeps its config and its login."""
    return Path(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure").expanduser()


def config_of_az() -> dict[str, str]:
    """What the config of `az` says of storage; nothing where it says nothing."""
    parser = ConfigParser(interpolation=None)
    with suppress(Error, OSError, UnicodeDecodeError):
        parser.read(folder_of_az() / "config", encoding="utf-8")
    return dict(parser.items("storage")) if parser.has_section("storage") else {}
