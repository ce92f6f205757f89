"""Rules about keys of Redis: a slip in one is its own fault, what is lost stays the backup's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.checks.coherence import Coherence, example_lines
from restore_drill.checks.names import CriteriaNames
from restore_drill.config.criteria import Criteria, Rule, load_criteria
from restore_drill.core.errors import CouldNotRun, CriteriaError, DrillError
from restore_drill.redis.coherence.live import live_part
from restore_drill.redis.coherence.reading import Limits
from restore_drill.redis.coherence.stale import lines_on_coherence
from restore_drill.redis.connection import Server
from restore_drill.redis.own.reach import own_redis
from restore_drill.servers.model import Target
from tests.helpers.redis_servers import BINARIES, Redis, running
from tests.helpers.shop import USUAL, Shops, fill_shop

ROWS = """
CREATE TABLE public.cards (id integer PRIMARY KEY, price integer, archived boolean);
INSERT INTO public.cards SELECT n, n, false FROM generate_series(1, 3) n;
CREATE ROLE poor LOGIN PASSWORD 'poor';
GRANT SELECT ON public.cards TO poor;
"""
CARDS = "keys = 'card:{id}'\ntable = 'cards'\n"


@pytest.fixture(scope="module")
def rows(shops: Shops) -> Target:
    """A database with three cards."""
    target = shops.database(USUAL, "coherence_rules")
    fill_shop(target, ROWS)
    return target


@pytest.fixture(scope="module")
def started() -> Iterator[Redis]:
    """A Redis with keys of three cards, and of two that there are not."""
    with running(BINARIES[0], (), "") as server:
        server.admin.mset({f"card:{n}": n for n in (1, 2, 3, 8, 9)})
        yield server


@pytest.fixture
def server(started: Redis) -> Iterator[Server]:
    """The same, as the user's own."""
    with own_redis(started.url()) as found:
        yield found


def asked(target: Target, timeout: float = 5.0) -> Coherence:
    """What asks rules of `target`, which had another table before."""
    criteria = Criteria(Path("criteria.toml"), sql_timeout=timeout)
    names = CriteriaNames(criteria, past=frozenset({"public.invoices"}))
    return Coherence(target, {"public.cards"}, names, lambda _: None, show=True)


def rule(text: str, folder: Path) -> Rule:
    """The rule that these lines of a criteria file make."""
    path = folder / "criteria.toml"
    path.write_text(f"[[redis.coherence]]\n{text}\n")
    return load_criteria(path).redis_coherence[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keys = 'a:{id}'\ntable = 'cardss'", "did you mean 'public.cards'?"),
        (f"{CARDS}equals = 'prcie'", "the column prcie, which public.cards does not have; did you"),
        (f"{CARDS}direction = 'rows'\nwhere = 'NOT archvied'", "names the column archvied; did"),
        (f"{CARDS}direction = 'rows'\nwhere = 'NOT NOT'", "is not valid SQL here"),
        (f"{CARDS}direction = 'rows'\nwhere = 'true); SELECT (1'", "more than one statement"),
    ],
)
def test_slip_in_a_rule_is_named(
    text: str, words: str, rows: Target, server: Server, tmp_path: Path
) -> None:
    """With what was meant; nothing speaks against the backup."""
    with pytest.raises(CriteriaError, match=r"\[\[redis\.coherence\]\]") as raised:
        asked(rows).compare(rule(text, tmp_path), [server])
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keys = 'a:{id}'\ntable = 'invoices'", "required table public.invoices is not in the"),
        (f"{CARDS}equals = 'stock'", "public.cards has no column stock, which [[redis.coherence]]"),
        (
            f"{CARDS}direction = 'rows'\nwhere = '1 / (id - 1) > 0'",
            "rows of public.cards cannot be compared with keys: division_by_zero (SQLSTATE 22012)",
        ),
        (
            f"{CARDS}direction = 'rows'\nwhere = 'pg_sleep(60) IS NULL'",
            "cannot be compared with keys: it took longer than 0.20 s ([sql] timeout in the crit",
        ),
    ],
)
def test_what_the_backup_lacks_is_its_loss(
    text: str, words: str, rows: Target, server: Server, tmp_path: Path
) -> None:
    """A table, a column, or rows that cannot be read: a failure, in words."""
    with pytest.raises(AssertionError) as raised:
        asked(rows, timeout=0.2).compare(rule(text, tmp_path), [server])
    assert words in str(raised.value)


def test_our_own_means_failing_is_no_finding(
    rows: Target, started: Redis, server: Server, tmp_path: Path
) -> None:
    """No right to a temporary table, or to the keys; too many of them: could not run."""
    with rows.connect() as session:
        session.execute("REVOKE TEMPORARY ON DATABASE coherence_rules FROM PUBLIC")
    poor = replace(rows, conninfo={**rows.conninfo, "user": "poor"}, password="poor")
    cards = rule(CARDS, tmp_path)
    with pytest.raises(CouldNotRun, match="insufficient_privilege"):
        asked(poor).compare(cards, [server])
    with pytest.raises(CouldNotRun, match=r"were not compared: there are more than 2 keys"):
        asked(rows).compare(cards, [server], Limits(keys=2))
    started.admin.acl_setuser("poor", enabled=True, passwords=["+poor"], commands=["+get"])
    with (
        own_redis(started.url(user="poor", password="poor")) as other,
        pytest.raises(CouldNotRun, match=r"does not let its user read keys like card") as raised,
    ):
        asked(rows).compare(cards, [other])
    assert "ACL SETUSER USER +select +scan +get +hget +exists" in str(raised.value)
    with (
        own_redis("redis://127.0.0.1:1/0") as nowhere,
        pytest.raises(DrillError, match="is not listening"),
    ):
        asked(rows).compare(cards, [nowhere])


def test_names_of_keys_are_for_the_terminal_alone(
    rows: Target, server: Server, tmp_path: Path
) -> None:
    """They stand in no part of result.json."""
    found = asked(rows).compare(rule(CARDS, tmp_path), [server])

    assert list(example_lines(found)) == ["card:{id}: without row: card:8, card:9"]
    assert "card:8" not in str(found.as_json()) + found.what + str(found.checked)


def test_command_for_a_live_redis_is_shown(
    rows: Target, server: Server, started: Redis, tmp_path: Path
) -> None:
    """After a recovery: how many keys do not agree, and what removes all that are like them."""
    text = f"{CARDS}equals = 'price'\ndirection = 'both'"
    started.admin.set("card:3", "7")
    started.admin.delete("card:2")
    part = live_part(asked(rows).compare(rule(text, tmp_path), [server]), [server])

    rows_line, keys_line = lines_on_coherence({"rules": [], "live": [part]})

    assert rows_line == "Redis: 1 restored row of public.cards without a key like card:{id}"
    assert keys_line.startswith(
        "Redis: of 4 keys like card:{id} 2 without a row and 1 with another value than their row "
        "in the restored database; to remove all keys like card:*: c=0; while c=$(redis-cli "
    )
    excepting = rule(f"{text}\nexcept = ['card:*:x']", tmp_path)
    part = live_part(asked(rows).compare(excepting, [server]), [server])
    assert (part["remove"], part["why"]) == (
        None,
        "card:* also matches keys that the rule leaves out (except)",
    )
    other = rule(f"{text}\ndatabase = 3", tmp_path)
    found = asked(rows).compare(other, [server])
    assert f"-p {started.port} -n 3 EVAL" in str(live_part(found, [server])["remove"])
    assert found.cause == "no_keys"
