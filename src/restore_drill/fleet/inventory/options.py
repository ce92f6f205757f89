"""Options that the drill of a database gets beside those that the fleet sets itself."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.kinds import Names, Schema
from restore_drill.config.criteria.place import Place
from restore_drill.config.live_options import LIVE_OPTIONS
from restore_drill.config.near import nearest_option
from restore_drill.config.option import Option
from restore_drill.config.options import OPTIONS
from restore_drill.fleet.inventory.templates import refuse_password

NO_LIVE = (
    "concerns a live database, and a fleet restores into throwaway servers alone: nobody would be "
    "there to confirm it"
)
OF_THE_FLEET = "is set by the fleet, which collects the reports of all drills"
NO_SERVERS = "is not for a fleet, which leaves no server running on its workers"

KEYS = ("backup", "criteria", "target", "series", "timeout")
"""Options that the keys of a database set, which are called so."""
IN_BUDGETS = ("max_backup_age", "max_restore_time", "max_verify_time", "max_total_time")
"""Options that its budgets set."""
INSTEAD = "is set by the fleet; write {} in this table"

REFUSED = {
    **{name: INSTEAD.format(f'{name} = "…"') for name in KEYS},
    **{name: INSTEAD.format(f'budgets = {{ {name} = "…" }}') for name in IN_BUDGETS},
    "backup": INSTEAD.format('backups = "…" or backup = "…"'),
    "report_dir": OF_THE_FLEET,
    "keep_reports": OF_THE_FLEET,
    "keep": NO_SERVERS,
    "keep_for": NO_SERVERS,
    "sample_rows": "is about the sample shop, and a fleet drills backups",
    **{option.name: NO_LIVE for option in LIVE_OPTIONS},
}
"""Options that no database may have, by name, and why."""
BY_FLAG = {flag: option for option in OPTIONS.values() for flag in option.flags}
VARIABLES = {name: option for option in OPTIONS.values() for name in option.variables}
ALLOWED = [flag for flag, option in BY_FLAG.items() if option.name not in REFUSED]


class Options(Names):
    """A list of the drill's options: `--heapallindexed`, `--pick=random` or `--pick`, `random`."""

    def read(self, place: Place, value: Any) -> Any:
        """The options as they are given to the drill, each in one text: `--pick=random`."""
        words = super().read(place, value)
        found, at = list[str](), 0
        while at < len(words):
            flag, has_value, text = words[at].partition("=")
            option = self.option_of(place, flag)
            at += 1
            if not option.is_flag and not has_value:
                text, has_value = (words[at], "=") if at < len(words) else ("", "")
                at += 1
            refuse_password(place, text)
            if option.is_flag and has_value:
                raise place.error(f"{flag} takes no value")
            if not option.is_flag and (not text or text in BY_FLAG):
                raise place.error(f"{flag} needs a value; write {flag}=VALUE")
            found.append(flag + has_value + text)
        return tuple(found)

    @staticmethod
    def option_of(place: Place, flag: str) -> Option:
        """The option that `flag` names; a usage error where there is none, or it is refused."""
        if not flag.startswith("--"):
            what = "has a word (not shown: it may be a value) that is no option"
            raise place.error(f"{place.name} {what}; options begin with --")
        if flag not in BY_FLAG:
            near = nearest_option(flag, ALLOWED)
            hint = f"did you mean {near!r}?" if near else "see docs/options.md"
            raise place.error(f"{place.name} has the unknown option {flag!r}; {hint}")
        option = BY_FLAG[flag]
        if option.name in REFUSED:
            raise place.error(f"{flag} {REFUSED[option.name]}")
        return option

    def schema(self) -> Schema:
        """A list of texts: an option with its value, or a value behind one."""
        flags = "|".join(ALLOWED)
        return {
            "type": "array",
            "items": {"type": "string", "pattern": f"^(({flags})(=.*)?$|(?!--))"},
        }
