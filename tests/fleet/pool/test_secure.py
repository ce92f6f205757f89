"""Certificates for a scheduler that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.fleet.pool.secure import refuse_unreadable


@pytest.mark.parametrize("name", ["ca_file", "cert", "key"])
def test_the_file_that_cannot_be_used_is_named(tmp_path: Path, name: str) -> None:
    """One that is missing and one that is no certificate, with the variables that name them."""
    gone = tmp_path / "gone.pem"
    (wrong := tmp_path / "wrong.pem").write_text("none")
    key = {"ca_file": "ca-file", "cert": "client.cert", "key": "client.key"}[name]
    with pytest.raises(CouldNotRun, match=rf"{key}: {gone}: No such file") as refused:
        refuse_unreadable({name: str(gone), "ciphers": None})
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in str(refused.value)
    if name != "key":
        with pytest.raises(CouldNotRun, match=rf"{key}.*{wrong}.* in PEM format"):
            refuse_unreadable({name: str(wrong)})
