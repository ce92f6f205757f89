"""The ways of `--target database`: beside the live one, promoted over it, or in its place."""

from __future__ import annotations

from restore_drill.config.options import OPTIONS, TARGETS, usage_error
from restore_drill.config.values import duration_of, flag_of
from restore_drill.core.units import parse_duration

WAYS = {"promote": "renames the live database", "in_place": "resets the live database"}
"""Options that choose a way which changes the live database, and how."""

AFTER = ("keep", "rollback")


def target_of(given: dict[str, str | None]) -> str:
    """Where to restore; a usage error where there is no such target."""
    target = given["target"] or "embedded"
    if target not in TARGETS:
        raise usage_error("target", f"cannot be {target!r}", "choose one of " + ", ".join(TARGETS))
    return target


def way_of(given: dict[str, str | None], target: str) -> str:
    """The way of `--target database`: `beside`, or `promote` and `in-place`, which are confirmed.

    A usage error for a confirmation of nothing, for a way without one, and for both ways at once.
    """
    asked = [name for name in WAYS if flag_of(given, name)]
    is_confirmed = given["confirm"] is not None
    if given["confirm_reset"] is not None:
        if asked or is_confirmed:
            raise usage_error(
                "confirm_reset", "combines --in-place and --confirm", "use only one of them"
            )
        asked, name = ["in_place"], "confirm_reset"
    else:
        name = asked[0] if asked else ""
        refuse_unconfirmed(asked, is_confirmed=is_confirmed)
    if asked and target != "database":
        raise usage_error(
            name, (f"cannot be combined with --target {target}"), "add --target database"
        )
    if flag_of(given, "accept_loss") and asked != ["promote"]:
        raise usage_error("accept_loss", "accepts nothing", "it belongs to --promote")
    if flag_of(given, "create_database") and (asked == ["in_place"] or target != "database"):
        remedy = "it belongs to --target database, also with --promote"
        raise usage_error("create_database", "creates nothing", remedy)
    return asked[0].replace("_", "-") if asked else "beside"


def refuse_unconfirmed(asked: list[str], *, is_confirmed: bool) -> None:
    """Usage error unless one of WAYS was asked for and confirmed, or neither."""
    if asked[1:]:
        raise usage_error("promote", "cannot be combined with --in-place", "use only one of them")
    if is_confirmed and not asked:
        raise usage_error("confirm", "confirms nothing", "it belongs to --promote or --in-place")
    if asked and not is_confirmed:
        remedy = "confirm that by its name: --confirm NAME"
        raise usage_error(asked[0], WAYS[asked[0]], remedy)


def refuse_sample(target: str, *, is_sample: bool) -> None:
    """Usage error where the sample shop would be restored beside a live database."""
    if target == "database" and is_sample:
        what = "is unset, and --backup is not given"
        why = "the sample shop is never restored into a live database"
        raise usage_error("backup_path", what, why)


def creates_roles(given: dict[str, str | None], target: str) -> bool:
    """Whether roles that are missing on a live server are to be made."""
    if not flag_of(given, "create_roles"):
        return False
    if target != "database":
        what = f"cannot be combined with --target {target}"
        raise usage_error("create_roles", what, "a throwaway server gets all roles anyway")
    if way_of(given, target) == "in-place":
        what = "cannot be combined with --in-place"
        raise usage_error("create_roles", what, "make the roles first, or leave --in-place out")
    return True


def after_of(given: dict[str, str | None], target: str) -> str:
    """What becomes of the live database after a passed drill in place: `keep` or `rollback`."""
    value = given["after"] or AFTER[0]
    if value not in AFTER:
        raise usage_error("after", f"cannot be {value!r}", "choose one of " + ", ".join(AFTER))
    if value != AFTER[0] and way_of(given, target) != "in-place":
        raise usage_error("after", "rolls nothing back", "it belongs to --in-place")
    return value


def lock_wait_of(given: dict[str, str | None]) -> float:
    """Seconds that a promotion waits for open transactions at most."""
    return duration_of(given, "max_lock_wait") or parse_duration(
        OPTIONS["max_lock_wait"].default or "0"
    )
