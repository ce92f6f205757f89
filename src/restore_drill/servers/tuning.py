"""Settings of a server that restores once, fast, and is thrown away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from restore_drill.servers.cleanup import MEMORY
from restore_drill.servers.place import GROWTH, memory

PORT = 5432
"""Only names the socket: the server listens nowhere else."""
MB = 1 << 20
SORT_MB = 32
"""Memory for sorting, a process: sorts of a processor cache's size, merged, beat one large sort.

It is also the least for which PostgreSQL lets another process help to build an index.
"""


def safe_settings(run: Path) -> dict[str, str]:
    """Make the settings of every throwaway server in `run`: private, silent, at rest."""
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(run),
        "unix_socket_permissions": "0700",
        "cluster_name": "restore-drill",
        # No work of the copy's own: archiving, subscriptions, libraries with workers.
        "archive_mode": "off",
        "max_logical_replication_workers": "0",
        "shared_preload_libraries": "",
        # In the data directory: /dev/shm is 64 MB in containers, and survives a kill.
        "dynamic_shared_memory_type": "mmap",
        "timezone": "UTC",
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_timezone": "UTC",
        # Statements and details hold row data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }


FAST = {
    # Nothing of it survives a crash, and nothing needs to.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "wal_skip_threshold": "0",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    "max_locks_per_transaction": "1024",
}
"""Settings of every server that restores once and is thrown away, wherever it runs."""


def processes() -> int:
    """How many processes such a server has at the very most."""
    cores = os.cpu_count() or 1
    return 200 + 6 * cores


def server_settings(run: Path) -> dict[str, str]:
    """Make the settings of a server that restores once, fast, and is thrown away."""
    cores = os.cpu_count() or 1
    helpers = max(1, cores // 2)
    wal = 512 if MEMORY in run.parents else shutil.disk_usage(run).free // MB // 4
    own = {
        "max_wal_size": f"{min(8192, max(256, wal))}MB",
        "max_connections": str(50 + 4 * cores),
        "shared_buffers": f"{most_buffers()}MB",
        "maintenance_work_mem": f"{SORT_MB * (1 + helpers)}MB",
        "work_mem": "32MB",
        "max_worker_processes": str(8 + cores),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(max(1, cores // 2)),
        "max_parallel_maintenance_workers": str(helpers),
    }
    return safe_settings(run) | FAST | own


def most_buffers() -> int:
    """Megabytes of shared buffers on this machine, for data of any size."""
    return min(1024, max(128, memory() // MB // 16))


def fewer_buffers(room: int) -> dict[str, str]:
    """Setting of a server for `room` bytes of SQL: no more buffers than may be filled.

    The server looks through all of them whenever a database is made or a table truncated: of
    1 GB that took a third of the work of a small restore.
    """
    return {"shared_buffers": f"{min(most_buffers(), max(128, GROWTH * room // MB))}MB"}


def add_settings(data: Path, settings: dict[str, str]) -> None:
    """Add `settings` to the configuration of the cluster in `data`."""
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        for name, value in settings.items():
            file.write("{} = '{}'\n".format(name, value.replace("'", "''")))
