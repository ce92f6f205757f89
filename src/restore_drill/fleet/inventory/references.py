"""Kinds of values that may hold secrets, by reference: variables of a drill, URLs of channels."""

from __future__ import annotations

import re
from typing import Any

from restore_drill.config.criteria.kinds import Names, Schema, Text
from restore_drill.config.criteria.notify import VARIABLE
from restore_drill.config.criteria.place import Place
from restore_drill.config.near import refuse_near_misses
from restore_drill.config.options import VARIABLES as UNOPTIONED
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.options import INSTEAD, NO_LIVE, REFUSED, VARIABLES
from restore_drill.fleet.inventory.templates import (
    Template,
    refuse_secret,
    refuse_token,
    template_at,
)

OF_THE_FLEET = {
    UNOPTIONED["backup_path"]: INSTEAD.format('backups = "…"'),
    UNOPTIONED["database_url"]: NO_LIVE,
    **dict.fromkeys(
        ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"),
        "would change what a drill proves; write options = […] in this table",
    ),
}
"""Variables that the drill of a database may not have, and why."""


class Variable(Text):
    """The value of a variable of a drill's environment, which is never repeated."""

    def read(self, place: Place, value: Any) -> Any:
        """The template of its value."""
        if not re.fullmatch(VARIABLE, place.name):
            raise place.error(f"{place.name!r} cannot be the name of a variable")
        option = VARIABLES.get(place.name)
        why = REFUSED.get(option.name) if option else OF_THE_FLEET.get(place.name)
        if why:
            raise place.error(f"{place.name} {why}")
        try:
            refuse_near_misses([place.name])
        except UsageError as error:
            raise place.error(str(error)) from None
        text = super().read(place, value)
        refuse_secret(place, text)
        return template_at(place, text)


class Channels(Names):
    """A list of URLs of channels, or references to variables that hold some."""

    def read(self, place: Place, value: Any) -> Any:
        """Their templates."""
        found = list[Template]()
        for text in super().read(place, value):
            refuse_token(place, text)
            if "://" not in text and "${" not in text:
                what = "has an entry (not shown) that is neither a URL nor ${NAME}"
                raise place.error(f"{place.name} {what}")
            found.append(template_at(place, text))
        return tuple(found)

    def schema(self) -> Schema:
        """A list of texts that are one or the other."""
        return {"type": "array", "items": {"type": "string", "pattern": r"://|\$\{"}}
