"""What was given for each setting, and where: options, variables of the environment and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from restore_drill.config.environment import Layer
from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.config.remote import refuse_signature


class Given(NamedTuple):
    """The text of a setting, the option or variable that gave it, and where that was set."""

    text: str
    name: str
    place: str

    @property
    def source(self) -> str:
        """`--backup`, `BACKUP_PATH in the environment`, `BACKUP_PATH in /srv/shop/.env`."""
        return f"{self.name} in {self.place}" if self.place else self.name


def gather(options: Mapping[str, str | None], layers: Sequence[Layer]) -> dict[str, Given]:
    """Each setting that was given, by its name: by an option, else by its variable.

    The first of `layers` that has the variable counts. UsageError where an option holds a secret.
    """
    refuse_signature(options)
    found = {}
    names = {name: [variable] for name, variable in VARIABLES.items()}
    names |= {name: option.variables for name, option in OPTIONS.items()}
    for name, variables in names.items():
        if (text := options.get(name)) is not None:
            found[name] = Given(text, OPTIONS[name].flag, "")
            continue
        for variable in variables:
            layer = next((each for each in layers if variable in each.values), None)
            if layer is not None:
                found[name] = Given(layer.values[variable], variable, layer.place)
                break
    return found


def texts_of(found: Mapping[str, Given]) -> dict[str, str | None]:
    """The text of every setting, None where it was not given."""
    return {name: found[name].text if name in found else None for name in (*VARIABLES, *OPTIONS)}
