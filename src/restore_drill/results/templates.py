"""How pages are made of templates: what is shown is escaped, on one line, and named for sure."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket, FileSystemBytecodeCache
from markupsafe import Markup

from restore_drill import __version__
from restore_drill.core.printable import printable
from restore_drill.servers.cache import cache_dir


def templates(folder: Path, *, lstrip_blocks: bool = True) -> Environment:
    """The templates in `folder`; `lstrip_blocks` leaves out the blanks before a block."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=lstrip_blocks,
        finalize=shown,
        bytecode_cache=Compiled(str(cache_dir() / "templates" / __version__)),
    )


class Compiled(FileSystemBytecodeCache):
    """The compiled templates, kept between drills where that can be."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one; a drill does without, where the folder cannot be written."""
        with suppress(OSError):
            Path(self.directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            super().dump_bytecode(bucket)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load one that was kept, if it can be read."""
        with suppress(OSError):
            super().load_bytecode(bucket)


def shown(value: Any) -> Any:
    """`value` on one line, as the page may show it; what is HTML already stays as it is."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable(value) if is_text else value
