"""What belongs to a Redis that the drill has started itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer


@dataclass(frozen=True)
class Throwaway:
    """What `ends` it at the end of the drill, for those who keep it up beyond that.

    Either the `container` that it runs in, or the `command` of an embedded one, which `end` ends,
    with its private `folder` and the `lock` of that.
    """

    ends: ExitStack
    container: DockerContainer | None = None
    folder: Path | None = None
    lock: BinaryIO | None = None
    command: list[str] | None = None
    end: Callable[[], None] = field(default=lambda: None)
