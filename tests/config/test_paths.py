"""Paths of the settings, as the drill shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.config.decrypt import key_file_of
from restore_drill.config.values import path_of
from restore_drill.core.errors import UsageError
from restore_drill.core.printable import shown_path


def test_a_path_is_shown_without_its_detours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`clone/../dumps/shop.sql` is the file that it is; through a link it stays as it is."""
    here, dumps = tmp_path / "clone", tmp_path / "dumps"
    (here / "way").mkdir(parents=True)
    (dumps / "deep").mkdir(parents=True)
    (dumps / "shop.sql").touch()
    (here / "link").symlink_to(dumps / "deep")
    monkeypatch.chdir(here)

    found = path_of({"backup": "../clone/../dumps/shop.sql"}, "backup", here, must_exist=True)
    linked = path_of({"backup": "link/../shop.sql"}, "backup", here, must_exist=True)

    assert found == dumps / "shop.sql" and shown_path(found) == "../dumps/shop.sql"
    assert linked == here / "link" / ".." / "shop.sql", "without its dots it is not there"
    assert shown_path(Path("/etc")) == "/etc"


def test_a_key_in_place_of_its_file_is_not_shown(tmp_path: Path) -> None:
    """A passphrase, also with a slash; a path that begins as one is named, so that it is found."""
    (tmp_path / "age.txt").touch()
    assert key_file_of({"decrypt_key": "age.txt"}, tmp_path) == tmp_path / "age.txt"
    for secret in ("AGE-SECRET-KEY-1QQ", "correct horse", "ab/cd+ef==", "x" * 5000):
        with pytest.raises(UsageError, match="not shown: it may be the key") as caught:
            key_file_of({"decrypt_key": secret}, tmp_path)
        assert secret not in str(caught.value)
    with pytest.raises(UsageError, match=f"names {tmp_path}/no.txt, which does not exist"):
        key_file_of({"decrypt_key": "./no.txt"}, tmp_path)
