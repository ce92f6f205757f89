"""One option of the drill: its names, variable, default and help."""

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """One option: the variable that may be set instead, its default and its help text.

    `unset` describes what holds without it, where `default` does not say so.
    `formerly` is its earlier name, whose flag and variable still work.
    """

    flag: str
    variable: str
    default: str | None
    help: str
    is_flag: bool = False
    unset: str = ""
    formerly: str = ""

    @property
    def name(self) -> str:
        """Name of the setting: `--max-backup-age` is `max_backup_age`."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def flags(self) -> list[str]:
        """Its flag, and its earlier one."""
        return [self.flag, *([f"--{self.formerly}"] if self.formerly else [])]

    @property
    def variables(self) -> list[str]:
        """Its variable, and its earlier one; empty where it has none."""
        return [
            name
            for name in (self.variable, self.formerly and f"DRILL_{self.formerly.upper()}")
            if name
        ]

    @property
    def otherwise(self) -> str:
        """What holds without it, in words; empty where it is a flag or there is nothing."""
        return self.default or self.unset

    @property
    def dest(self) -> str:
        """Name of the attribute in pytest's option namespace."""
        return "drill_" + self.name
