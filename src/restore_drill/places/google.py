"""Where the ecosystem of Google Cloud keeps its credentials: the library reads them all but one.

Those are GOOGLE_APPLICATION_CREDENTIALS and its kin, what `gcloud auth application-default login`
has left, and the account of the machine. What is read here is the variable of the emulators.
"""

from __future__ import annotations

import json
import os

NOBODY = json.dumps(
    {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
)
"""An account that asks for no token: an emulator takes whoever comes."""


def gs_options() -> dict[str, str]:
    """Options of a bucket; none where no emulator is named."""
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return {}
    endpoint = emulator if "://" in emulator else f"http://{emulator}"
    return {"base_url": endpoint.rstrip("/"), "service_account_key": NOBODY}
