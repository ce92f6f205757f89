"""How a recovering server is started: behind walls or without, and why it has ended if it has."""

from __future__ import annotations

import subprocess

from mirakuru.exceptions import ExecutorError

from restore_drill.recovery.evidence import Reading, read_evidence
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.recovery.log import read_log, size_of
from restore_drill.recovery.reasons import why_ended
from restore_drill.servers.starting import could_not_start, last_line


def start_server(executor: RecoveringExecutor) -> Reading:
    """Start the server and wait until it has recovered; what its log says of that.

    Where it ends in recovery BackupFault says why, and CouldNotRun where that is no fault of the
    backup. Nothing is tried twice but a start without walls, where it did not begin behind them.
    """
    log = executor.run_directory.log
    begin = size_of(log)
    try:
        executor.start()
    except (ExecutorError, OSError, subprocess.SubprocessError) as error:
        executor.stop()
        reading = read_evidence(read_log(log, begin))
        if reading.started_at:
            raise why_ended(reading, executor.binaries) from None
        if executor.is_closed:
            executor.give_up_isolation(executor.last_output.strip())
        elif executor.is_isolated:
            executor.give_up_isolation(last_line(executor, error) or "it does not start inside")
        else:
            raise could_not_start(executor, error) from None
        return start_server(executor)
    return read_evidence(read_log(log, begin))
