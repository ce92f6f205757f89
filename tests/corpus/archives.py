"""Damages to the members of directory and tar archives, and by another run's files."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from restore_drill.damages.files import Edit, change_data, data_file
from tests.corpus.lab import Lab
from tests.helpers.shop import fill_shop, pg_dump

Do = Callable[[Lab, Path], Path | None]

LATER = """
    UPDATE public.cards SET purchase_id = NULL;
    UPDATE public.artists SET name = 'other ' || id;
    DELETE FROM public.purchases WHERE id > 50"""
"""What happened to the shop between two runs."""


def edited(edit: Edit) -> Do:
    """Send the file, or the largest member of a directory, through `edit`."""
    return lambda _lab, path: change_data(path, edit)


def renamed(name: str) -> Do:
    """Give the backup another name."""
    return lambda _lab, path: path.rename(path.with_name(name))


def member(name: str, edit: Edit | None) -> Do:
    """Send the member `name` (`*`: the largest) of an archive through `edit`, or lose it."""

    def do(_lab: Lab, path: Path) -> None:
        if path.is_dir():
            file = data_file(path) if name == "*" else path / name
            if edit is None:
                file.unlink()
            else:
                file.write_bytes(edit(file.read_bytes()))
        else:
            change_tar(path, name, edit)

    return do


def change_tar(path: Path, name: str, edit: Edit | None) -> None:
    """Write the tar archive anew with one member changed or left out."""
    with tarfile.open(path) as tar:
        members = [(info, reader.read()) for info in tar if (reader := tar.extractfile(info))]
    rows = [(info, data) for info, data in members if info.name.endswith(".dat")][1:]
    chosen = max(rows, key=lambda pair: len(pair[1]))[0].name if name == "*" else name
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for info, old in members:
            data = old
            if info.name == chosen:
                if edit is None:
                    continue
                data = edit(data)
            info.size = len(data)
            tar.addfile(info, BytesIO(data))


def later_dump(lab: Lab, form: str) -> Path:
    """Dump of a later run: the same tables, other rows."""
    name = "later"
    if name not in lab.sources:
        lab.source("shop")
        target = lab.shops.database(lab.major, name)
        with lab.source("shop").connect(dbname="postgres") as connection:
            connection.execute(f"DROP DATABASE {name}".encode())
            connection.execute(f"CREATE DATABASE {name} TEMPLATE source_shop".encode())
        fill_shop(target, LATER)
        lab.sources[name] = target
    path = lab.folder / f"later_{form}"
    if not path.exists():
        options = {"directory": ("--format=directory",), "archive.tar": ("--format=tar",)}
        pg_dump(lab.sources[name], path, *options.get(form, ()))
    return path


def from_later_run(lab: Lab, path: Path) -> None:
    """Exchange the largest data file of a directory with that of another run."""
    file = data_file(path)
    shutil.copyfile(later_dump(lab, "directory") / file.name, file)


def with_toc_of_later_run(lab: Lab, path: Path) -> None:
    """Exchange the table of contents of a directory with that of another run."""
    shutil.copyfile(later_dump(lab, "directory") / "toc.dat", path / "toc.dat")


def with_later_behind(share: float) -> Do:
    """Append `share` of a later run's dump."""

    def do(lab: Lab, path: Path) -> None:
        later = later_dump(lab, "plain.sql").read_bytes()
        path.write_bytes(path.read_bytes() + later[-int(len(later) * share) :])

    return do
