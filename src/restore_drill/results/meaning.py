"""What a verdict means for whoever relies on the backup: no more and no less than was found."""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.core.units import show_count, show_duration
from restore_drill.results.age import data_age
from restore_drill.results.criterion import weight_of
from restore_drill.results.kinds import failed_kinds
from restore_drill.results.result import NO_ROWS, Result
from restore_drill.results.words import (
    SAMPLE,
    count,
    first_line,
    had_errors,
    problems_of,
    short_name,
    unreached_of,
    waived_of,
)

APART = {
    "promotion": "The backup was not promoted.",
    "live_database": "The live database is not as the drill should leave it.",
}
"""What is reported beside the criteria: see `report_apart` of the stages."""
READ_TO_ITS_END = "test_backup_is_complete"
RESTORED = "test_restore_has_no_errors"

OF_REDIS = {"redis", "redis_backup", "redis_age", "coherence"}
NOTHING = "nothing is known about the backup"


def meaning_of(result: Result) -> str:
    """What the verdict means, in a sentence or two."""
    meaning = {
        "passed": lambda: f"{restored(result)}, and {holding(result)}. {worth_of(result)}",
        "sample": lambda: (
            f"The sample shop was restored, and {holding(result)}: the drill works here. {SAMPLE}."
        ),
        "failed": lambda: failure_of(result),
        "could-not-run": lambda: undone(result),
        "incomplete": lambda: f"{selected(result)} {known_of(result)}",
    }[result["verdict"]]()
    return meaning.strip()


def restored(result: Result) -> str:
    """`The backup was restored`, and whether it was with errors, which this selection ignores."""
    errors = " with errors, which these criteria do not report" * had_errors(result)
    return f"The backup was restored{errors}"


def holding(result: Result) -> str:
    """`all 45 criteria that ran passed`, with what is waived and warned of."""
    passed, waived = count(result, "passed"), len(waived_of(result))
    text = f"all {passed:,} criteria that ran passed"
    if passed == 1:
        text = "the criterion that ran passed"
    if waived:
        total = show_count(passed + waived, "criterion", "criteria")
        text = f"{passed:,} of {total} that ran passed"
        text += f"; {show_count(waived, 'known finding')} waived"
    if result["warnings"]:
        text += f"; {show_count(len(result['warnings']), 'warning')}"
    return text


def worth_of(result: Result) -> str:
    """What a pass is worth and why it is worth no more; empty where nothing was measured."""
    why_not = "there is no manifest of its source to compare it with"
    if result["basis"] == "manifest":
        why_not = "only part of it was compared with its manifest"
        if waived := len(waived_of(result)):
            why_not = f"{show_count(waived, 'known finding')} waived"
    return {
        "proven": "Proven: content and schema equal the source's, by its manifest.",
        "plausible": f"Plausible, not proven: {why_not}.",
    }.get(result["strength"] or "", "")


def measured_of(result: Result) -> str:
    """Against what it was measured, in a sentence; empty where nothing was restored."""
    if not result["basis"] or result["timings"]["restore"] is None:
        return ""
    drift = result["drift"]
    if drift is None:
        return f"Measured against: the {result['basis']}"
    against = " and ".join(each["description"] for each in drift["against"])
    drifted = f"drift against {against}" if against else f"drift not measured: {drift['why_not']}"
    return f"Measured against: the {result['basis']}; {drifted}"


def selected(result: Result) -> str:
    """What became of the criteria that were picked, none of which read a restored row."""
    waived = len(waived_of(result))
    if not count(result, "passed"):
        return f"No selected criterion passed; {show_count(waived, 'known finding')} waived."
    accepted = f"; {show_count(waived, 'known finding')} waived" if waived else ""
    return f"The selected criteria passed{accepted}, but {NO_ROWS}."


def failure_of(result: Result) -> str:
    """How many criteria failed, and whether that speaks against the backup."""
    total = show_count(count(result, "criteria"), "criterion", "criteria")
    text, kinds = f"{count(result, 'failed'):,} of {total} failed", failed_kinds(result)
    parts = [each for kind, each in missed(result) if kind in kinds]
    if result["sample"]:  # Redis and its backup are the user's all the same
        broken = ", and ".join(parts) if kinds <= OF_REDIS else "the drill does not work here"
        return f"{text}: {broken}. {SAMPLE}."
    if "" not in kinds:
        good = "the backup is good, but " if is_good(result) and kinds != {"redis"} else ""
        return f"{text}: {good}{', and '.join(parts)}."
    if result["backup"] is None:
        return f"{text}: there is no backup to rely on."
    return f"{text}: do not rely on this backup until every failure is explained."


def is_good(result: Result) -> bool:
    """Whether nothing speaks against the backup itself, all of which was checked."""
    outcomes = {check["outcome"] for check in result["checks"]}
    is_whole = result["rows_read"] and not result["selection"] and "error" not in outcomes
    return bool(is_whole and not waived_of(result))


def missed(result: Result) -> Sequence[tuple[str, str]]:
    """What is wrong beside the backup itself, by the kind of what failed."""
    backup = result["backup"] or {}
    age, picked = data_age(result) or 0, backup.get("picked")
    old = f"it is {show_duration(age)} old: anything written since would be lost in a recovery now"
    if picked:
        old = f"the newest of its series, {picked['newest']}, is not within the age limit"
    elif age < 0:
        old = "it is dated in the future, so its age is unknown"
    return [
        ("age", old),
        ("target", "its WAL does not reach the target; whether the rest is whole is not known"),
        ("schedule", "other backups of its series are missing"),
        ("time", "recovery takes longer than you allow"),
        ("redis", "Redis failed its checks"),
        ("redis_backup", "the backup of Redis failed its checks"),
        ("redis_age", "the backup of Redis is older than you allow"),
        ("coherence", of_coherence(result)),
    ]


def of_coherence(result: Result) -> str:
    """What failed of the keys of Redis and the rows: they disagree, or could not be compared."""
    rules = (result.get("coherence") or {}).get("rules", [])
    if any(each["keys"] and not each["ok"] for each in rules):
        return "Redis does not agree with its rows"
    return "keys of Redis could not be compared with its rows"


def undone(result: Result) -> str:
    """What is known all the same where the drill could not do its work, and what is not."""
    known = known_of(result)
    problems = problems_of(result)
    names = [short_name(each["id"]) for each in problems]
    if len(names) == 1 and (what := APART.get(names[0])):
        return f"{what} {known}"
    why = first_line(problems[0]["message"]) if problems else "; ".join(result["reasons"][:1])
    if known.endswith("not restored.") and why:
        return f"The drill could not run. {known.removesuffix('.')}: {why.rstrip('.')}."
    return f"The drill could not run{':' if known.startswith('nothing') else '.'} {known}"


def known_of(result: Result) -> str:
    """What is known about the backup by the criteria that passed, in a sentence."""
    held = {short_name(c["id"]) for c in result["checks"] if c["outcome"] == "passed"}
    if result["backup"] is None or READ_TO_ITS_END not in held:
        is_there = any(
            c["stage"] == "select" and c["outcome"] == "passed" for c in result["checks"]
        )
        if result["backup"] is None or not is_there:
            return f"{NOTHING}." if result["verdict"] == "could-not-run" else ""
        return "The backup exists; whether it is complete is not known."
    whole = "The backup was read to its end and is complete;"
    if result["timings"]["restore"] is None:
        return f"{whole} it was not restored."
    if RESTORED not in held:
        return f"{whole} whether it can be restored without errors is not known."
    own = sum(short_name(each["id"]) in APART for each in problems_of(result))
    open_ = sum(map(weight_of, unreached_of(result))) + count(result, "error") - own
    rest = f", {show_count(open_, 'criterion', 'criteria')} could not be checked" if open_ else ""
    rows = "" if result["rows_read"] else "; none of its rows were checked"
    return f"{whole} it was restored without an error{rows}{rest}."
