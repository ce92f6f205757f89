"""What a dump's code plants in its run directory leads the clean-up nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.servers import processes, untrusted
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from tests.helpers.shop import quiet

PLANTS = ("ln -s {live}", "ln -s /dev/zero", "mkfifo", "mkdir")
"""What is made in place of the file by which a server is found."""


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A server whose code may do what it likes."""
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as found:
        yield found


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The file by which another server knows its data directory for its own."""
    path = tmp_path / "live" / "postmaster.pid"
    path.parent.mkdir()
    path.write_text("1\n")
    return path


def run_inside(server: EmbeddedServer, command: str) -> None:
    """Run the shell's `command` in the run directory, as code of a dump does."""
    with server.target("postgres").connect() as connection:
        connection.execute(f"COPY (SELECT 1) TO PROGRAM $p$cd {server.run.path} && {command}$p$")


def test_data_directory_swapped_for_a_symlink(server: EmbeddedServer, live: Path) -> None:
    """The file of the server that it leads to stays."""
    run_inside(server, f"mv data other && ln -s {live.parent} data")
    server.stop()

    assert live.read_text() == "1\n"
    assert not server.run.path.exists()


@pytest.mark.parametrize(
    "plant",
    ["ln -s {live}", "ln -s /dev/zero", "mkfifo", "mkdir"],
    ids=lambda text: text.split()[-1],
)
def test_process_file_replaced(server: EmbeddedServer, live: Path, plant: str) -> None:
    """Nothing is waited for or read without end, and no error is raised."""
    run_inside(server, f"rm data/postmaster.pid; {plant.format(live=live)} data/postmaster.pid")

    assert processes.find_server(server.run.data) is None
    server.stop()
    assert live.read_text() == "1\n"
    assert not server.run.path.exists()


def test_deep_directories_are_removed(server: EmbeddedServer) -> None:
    """A directory deeper than Python's stack is removed with all the others."""
    run_inside(server, "for i in $(seq 1500); do mkdir d && cd d || exit 1; done; touch end")
    server.stop()

    assert not server.run.path.exists()


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    """A pipe, a symlink and a symlinked directory are refused; a long file is cut."""
    (tmp_path / "plain").write_bytes(b"x" * (untrusted.LARGEST + 1))
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")

    assert len(untrusted.read_text(tmp_path / "plain")) == untrusted.LARGEST
    for name in ("link", "folder/plain", "pipe"):
        with pytest.raises(OSError, match=r"not a plain file|symbolic links|Not a directory"):
            untrusted.read_text(tmp_path / name)
