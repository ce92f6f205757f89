"""Keys of Redis against rows: each kind of incoherence that is planted is counted, and no other."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from restore_drill.config.criteria import Rule, load_criteria
from restore_drill.facts.session import Connection, open_session
from restore_drill.redis.coherence import reading
from restore_drill.redis.coherence.columns import NotCompared, NotInDatabase
from restore_drill.redis.coherence.compare import compare
from restore_drill.redis.coherence.found import Found
from restore_drill.redis.coherence.reading import Limits, Reader, TooMuch
from restore_drill.redis.coherence.values import at_path
from restore_drill.redis.coherence.volatile import count_volatile, volatile_lines
from restore_drill.redis.connection import server_of
from restore_drill.servers.model import Target
from tests.helpers.redis_servers import BINARIES, VERSIONS, Redis, Serve, running
from tests.helpers.shop import USUAL, Shops, fill_shop

ROWS = """
CREATE SCHEMA billing;
CREATE DOMAIN public.amount AS numeric(10, 2) CHECK (VALUE > 0);
CREATE DOMAIN public.price AS public.amount;
CREATE TABLE public.cards (
    id integer PRIMARY KEY, title text, price public.price, stock bigint, weight real,
    factor double precision, sold boolean, day date, at timestamptz, plain timestamp,
    mark uuid, code char(4), archived boolean NOT NULL DEFAULT false
);
INSERT INTO public.cards (id, title, price, stock, weight, factor, sold, day, at, plain, mark, code)
    SELECT n, 'Card ' || n, n * 1.5, n, n / 10.0, n / 3.0, n % 2 = 0, DATE '2026-01-01' + n,
        '2026-01-01 10:00:00.5+00'::timestamptz + n * interval '1 hour',
        '2026-01-01 10:00'::timestamp + n * interval '1 hour',
        ('00000000-0000-0000-0000-00000000abc' || n)::uuid, 'c' || n
    FROM generate_series(1, 9) n;
CREATE TABLE billing.lines (shop text, number integer, total numeric, PRIMARY KEY (shop, number));
INSERT INTO billing.lines VALUES ('eu', 1, 1), ('eu', 2, 2), ('us', 1, 3);
CREATE TABLE public.names (name text, note text);
INSERT INTO public.names VALUES ('plain', 'x'), (E'tab\\tand\\nline\\\\', 'x'), ('ümläut ☃', 'x'),
    ('a*[b]?', 'x'), (NULL, 'x'), ('twice', 'x'), ('twice', 'y'), ('no note', NULL);
CREATE TABLE public.hidden (name text);
CREATE TABLE public.edges (slug text, lang text, until timestamptz);
INSERT INTO public.edges VALUES ('', 'de', 'infinity'), ('a', '', '-infinity'),
    ('a b ', 'x:y', NULL);
CREATE TABLE public.events (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE public.old PARTITION OF public.events FOR VALUES FROM ('2020-01-01') TO ('2026-01-01');
CREATE TABLE public.rest PARTITION OF public.events DEFAULT;
INSERT INTO public.events SELECT n, DATE '2025-12-28' + n::integer FROM generate_series(1, 8) n;
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE public.elsewhere (id integer) SERVER files OPTIONS (filename '/nowhere');
CREATE SEQUENCE public.counter;
"""
VALKEYS = [path for path, name in zip(BINARIES, VERSIONS, strict=True) if "Valkey" in name]
CARDS = 'keys = "card:{id}"\ntable = "cards"'


@pytest.fixture(scope="module")
def rows(shops: Shops) -> Target:
    """A database with rows that keys are of."""
    target = shops.database(USUAL, "coherence")
    fill_shop(target, ROWS)
    return target


@pytest.fixture(scope="module", params=BINARIES, ids=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """A Redis, one of each version that is here."""
    with running(request.param, (), "") as started:
        yield started


@pytest.fixture
def keys(server: Redis) -> redis.Redis:
    """Its client, with no key in it."""
    server.admin.flushall()
    return server.admin


@pytest.fixture
def connection(rows: Target) -> Iterator[Connection]:
    """A session that reads the rows."""
    with open_session(rows) as opened:
        yield opened


def rule(text: str, folder: Path) -> Rule:
    """The rule that these lines of a criteria file make."""
    path = folder / "criteria.toml"
    path.write_text(f"[[redis.coherence]]\n{text}\n")
    (found,) = load_criteria(path).redis_coherence
    return found


def counts(found: Found) -> dict[str, Any]:
    """All counts of `found` that are not nought."""
    left_out = ("rule", "examples", "seconds")
    return {name: each for name, each in vars(found).items() if each and name not in left_out}


def test_keys_without_rows_and_rows_without_keys(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """Each is counted, in both directions, and the names are kept for who asks."""
    keys.mset({f"card:{n}": "x" for n in (1, 2, 3, 77, 78)} | {"cart:1": "x", "card": "x"})
    keys.mset({"card:abc": "x", "card:007": "x", "card:": "x", "card:9999999999999999999": "x"})
    both = rule(
        'keys = "card:{id}"\ntable = "cards"\ndirection = "both"\nwhere = "id > 1"', tmp_path
    )

    found = compare(both, [keys], connection, show=True)

    assert counts(found) == {
        "keys": 9, "without_row": 2, "misnamed": 4, "rows": 8, "without_key": 6
    }  # fmt: skip
    assert found.cause == "without_key"
    assert found.examples["without_row"] == [b"card:77", b"card:78"]
    assert found.examples["without_key"] == [b"card:%d" % n for n in range(4, 9)]
    assert sorted(found.examples["misnamed"])[:2] == [b"card:", b"card:007"]


def test_nothing_is_written(keys: redis.Redis, rows: Target, tmp_path: Path) -> None:
    """Neither there nor here, but a temporary table that ends with the comparison."""
    keys.mset({f"card:{n}": "x" for n in range(1, 10)})
    keys.config_resetstat()
    writing = f"{CARDS}\ndirection = 'rows'\nwhere = '''nextval('counter') > 0'''"
    with open_session(rows) as session:
        assert compare(rule(CARDS, tmp_path), [keys], session).cause == ""
        left = session.execute("SELECT count(*) FROM pg_class WHERE relname = 'drill_keys'")
        assert left.fetchone() == (0,)
        session.execute("SET search_path = public")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            compare(rule(writing, tmp_path), [keys], session)
        assert session.execute("SELECT 1").fetchone() == (1,)
    ran = {name.removeprefix("cmdstat_").partition("|")[0] for name in keys.info("commandstats")}
    assert "scan" in ran and ran <= {"scan", "info", "config", "hello", "client", "ping", "select"}
    assert keys.dbsize() == 9


@pytest.mark.parametrize(
    ("column", "field", "wrong"),
    [
        ("title", "Card {n}", "card {n}"),
        ("price", "{price}", "{n}.51"),
        ("stock", "{n}.0", "{n}1"),
        ("weight", "0.{n}", "0.{n}1"),
        ("factor", "{factor}", "0.{n}"),
        ("sold", "{even}", "{odd}"),
        ("day", "2026-01-{next:02}", "2026-01-31"),
        ("at", "2026-01-01T{hour}:00:00.500000+01:00", "2026-01-01T{hour}:00:00.5Z"),
        ("plain", "2026-01-01 {plain}:00", "2026-01-02"),
        ("mark", "00000000-0000-0000-0000-00000000ABC{n}", "00000000-0000-0000-0000-000000000000"),
        ("code", "c{n}", "c{n}x"),
    ],
)
def test_values_are_compared_as_the_column_has_them(
    column: str,
    field: str,
    wrong: str,
    keys: redis.Redis,
    connection: Connection,
    tmp_path: Path,
) -> None:
    """`9.0` is 9, and one time in two zones is one; what is no such value is counted by itself."""
    for n in range(1, 8):
        texts = {
            "n": n, "price": n * 1.5, "factor": n / 3, "even": n % 2 == 0, "odd": n % 2,
            "next": n + 1, "hour": f"{11 + n:02}", "plain": f"{10 + n:02}:00",
        }  # fmt: skip
        keys.hset(f"card:{n}", column, (wrong if n == 7 else field).format(**texts))
    keys.hset("card:8", "other", "x")
    keys.hset("card:9", column, b"\xff\x00")
    keys.hset("card:77", column, "no row, so nothing to agree with")
    of_column = f'{CARDS}\nfield = "{column}"\nequals = "{column}"'

    found = compare(rule(of_column, tmp_path), [keys], connection, show=True)

    expected = {"differing": 1, "lacking": 1, "unreadable": 1, "without_row": 1}
    assert counts(found) == {"keys": 10} | expected
    shown = {name: len(each) for name, each in found.examples.items()}
    assert shown == expected
    assert found.examples["differing"] == [b"card:7"]


def test_values_that_are_no_field(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """The whole of a string, or what a path leads to in its JSON; keys of other types have none."""
    whole = rule(f'{CARDS}\nequals = "price"', tmp_path)
    keys.mset({"card:1": "1.5", "card:2": "3.01", "card:3": "", "card:4": "?", "card:5": "1e999"})
    keys.lpush("card:6", "9")
    keys.sadd("card:7", "9")
    keys.zadd("card:8", {"9": 1})
    keys.xadd("card:9", {"a": "b"})
    assert counts(compare(whole, [keys], connection)) == {
        "keys": 9, "differing": 1, "lacking": 1, "unreadable": 2, "other_type": 4
    }  # fmt: skip

    keys.flushall()
    in_json = rule(f'{CARDS}\nfield = "$.offers[0].price"\nequals = "price"', tmp_path)
    offer = '{"offers": [{"price": %s}]}'
    texts = [offer % price for price in ("1.50", '"3.0"', "4.51", "null", "[6]", "true")]
    texts += ["{", '{"offers": []}', "[" * 100_000]
    keys.mset({f"card:{n}": text for n, text in enumerate(texts, 1)})
    assert counts(compare(in_json, [keys], connection)) == {
        "keys": 9, "differing": 1, "lacking": 2, "unreadable": 4
    }  # fmt: skip


def test_null_and_several_rows(keys: redis.Redis, connection: Connection, tmp_path: Path) -> None:
    """A row without a value needs no key, one of several rows is enough, an empty text is NULL."""
    names = ["plain", "tab\tand\nline\\", "ümläut ☃", "a*[b]?", "twice"]
    for name in names:
        keys.hset(f"n:{name}", "note", "y" if name == "twice" else "x")
    keys.hset("n:no note", "note", "")
    keys.hset(b"n:\xff\xfe", "note", "x")
    keys.hset(b"n:nul\x00", "note", "x")
    keys.hset("n:ütter", "note", "x")
    text = 'keys = "n:{name}"\ntable = "names"\nfield = "note"\nequals = "note"\ndirection = "both"'

    found = compare(rule(text, tmp_path), [keys], connection, show=True)

    assert counts(found) == {"keys": 9, "misnamed": 2, "without_row": 1, "rows": 7}
    assert found.examples["without_row"] == ["n:ütter".encode()]

    keys.delete("n:plain")
    keys.hset("n:tab\tand\nline\\", "note", "z")
    found = compare(rule(text, tmp_path), [keys], connection, show=True)
    assert (found.without_key, found.differing) == (1, 1)
    assert found.examples["differing"] == [b"n:tab\tand\nline\\"]


def test_special_characters_in_the_pattern(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """Braces, stars and brackets of the rule stand for themselves; other keys are not its."""
    keys.mset({f"{{c*}}:[{n}]?\\": "x" for n in (1, 2, 77)} | {"{cc}:[3]?\\": "x", "{c*}:4": "x"})

    found = compare(
        rule("keys = '{{c*}}:[{id}]?\\'\ntable = 'cards'", tmp_path), [keys], connection
    )

    assert counts(found) == {"keys": 3, "without_row": 1}


def test_several_placeholders(keys: redis.Redis, connection: Connection, tmp_path: Path) -> None:
    """Each is a column, of its name or of the one that is given; a shop's name may hold a colon."""
    keys.mset(
        {"line:eu:1": "1", "line:eu:2": "7", "line:us:2": "x", "line:a:b:3": "x", "line:eu": "x"}
    )
    text = 'keys = "line:{shop}:{n}"\ntable = "billing.lines"\ncolumn = ["shop", "number"]\n'

    found = compare(
        rule(f'{text}equals = "total"\ndirection = "both"', tmp_path), [keys], connection, show=True
    )

    assert counts(found) == {
        "keys": 4, "without_row": 2, "differing": 1, "rows": 3, "without_key": 1
    }  # fmt: skip
    assert found.examples == {
        "without_row": [b"line:a:b:3", b"line:us:2"],
        "without_key": [b"line:us:1"],
        "differing": [b"line:eu:2"],
    }


def test_databases_partitions_and_foreign_tables(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """Each rule has its database of Redis; rows of all partitions count, those elsewhere do not."""
    keys.mset({"event:1": "x", "event:99": "x"})
    other = redis.Redis(port=keys.connection_pool.connection_kwargs["port"], db=3)
    other.mset({f"event:{n}": "x" for n in range(1, 8)})
    other.close()
    text = 'keys = "event:{id}"\ntable = "events"\ndirection = "both"\n'

    here = compare(rule(text, tmp_path), [keys], connection)
    there = compare(rule(f"{text}database = 3", tmp_path), [keys], connection)

    assert counts(here) == {"keys": 2, "without_row": 1, "rows": 8, "without_key": 7}
    assert counts(there) == {"keys": 7, "rows": 8, "without_key": 1}
    assert keys.get("event:1") == "x"  # the client is in its own database
    with pytest.raises(NotCompared, match=r"public\.elsewhere is, or has, a foreign table"):
        compare(rule('keys = "e:{id}"\ntable = "elsewhere"', tmp_path), [keys], connection)
    with pytest.raises(redis.ResponseError, match="DB index is out of range"):
        compare(rule(f"{text}database = 99", tmp_path), [keys], connection)


def test_what_the_database_does_not_have(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """A table, or a column of it."""
    with pytest.raises(NotInDatabase) as error:
        compare(rule('keys = "c:{id}"\ntable = "card"', tmp_path), [keys], connection)
    assert (error.value.table, error.value.column) == ("public.card", "")
    with pytest.raises(NotInDatabase) as error:
        compare(rule(f'{CARDS}\nequals = "prize"', tmp_path), [keys], connection)
    assert error.value.column == "prize" and error.value.types["price"] == "numeric"


def test_nothing_to_compare_is_no_pass(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """Where no key is like the rule's, it has most likely been mistyped."""
    none = compare(rule(CARDS, tmp_path), [keys], connection)
    assert none.cause == "no_keys" and none.summary.endswith("card:{id}: nothing to compare")
    rows_only = f'{CARDS}\ndirection = "rows"\nwhere = "'
    assert compare(rule(f'{rows_only}id > 99"', tmp_path), [keys], connection).cause == "nothing"
    assert compare(rule(f'{rows_only}true"', tmp_path), [keys], connection).cause == "without_key"


def test_an_empty_table_is_no_pass(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """Where each row needs a key, and all rows are gone: unless a condition picks none of them."""
    keys.mset({"hidden:1": "x", "hidden:2": "x"})
    text = 'keys = "hidden:{name}"\ntable = "hidden"\ndirection = "rows"'
    found = compare(rule(text, tmp_path), [keys], connection)
    assert (found.cause, found.keys, found.rows) == ("nothing", 2, 0)
    assert found.what == (
        "no row of public.hidden needs a key like hidden:{name}, though there are 2"
    )
    assert found.summary.endswith("need one: nothing to compare")
    picked = compare(rule(f"{text}\nwhere = 'name IS NULL'", tmp_path), [keys], connection)
    assert picked.cause == ""


def test_values_at_the_edge_are_values(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """An empty text in a name, and times without an end."""
    keys.mset({"edge::de": "infinity", "edge:a:": "-infinity", "edge:a b :x:y": ""})
    text = 'keys = "edge:{slug}:{lang}"\ntable = "edges"\ndirection = "both"\nequals = "until"'
    found = compare(rule(text, tmp_path), [keys], connection)
    assert counts(found) == {"keys": 3, "rows": 3}
    keys.mset({"until:infinity": "x", "until:-infinity": "x"})
    text = 'keys = "until:{until}"\ntable = "edges"\ndirection = "both"'
    assert counts(compare(rule(text, tmp_path), [keys], connection)) == {"keys": 2, "rows": 2}


def test_tolerance_is_a_share(keys: redis.Redis, connection: Connection, tmp_path: Path) -> None:
    """Of the keys, and of the rows."""
    keys.mset({f"card:{n}": "x" for n in (1, 2, 3, 4, 5, 6, 7, 8, 77, 78)})
    text = f'{CARDS}\ndirection = "both"\ntolerance = '
    causes = [compare(rule(f"{text}{share}", tmp_path), [keys], connection).cause
              for share in (0, 0.15, 0.2)]  # fmt: skip
    assert causes == ["without_row", "without_row", ""]


def test_names_are_kept_for_who_asks_alone(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """They are row data."""
    keys.mset({"card:abc": "x", "card:77": "x"})
    found = compare(rule(CARDS, tmp_path), [keys], connection)
    assert (found.misnamed, found.without_row, found.examples) == (1, 1, {})
    keys.delete("card:77")
    valued = rule(f'{CARDS}\nequals = "price"\nexcept = ["x*"]', tmp_path)
    assert counts(compare(valued, [keys], connection)) == {"keys": 1, "misnamed": 1}
    none = rule(f'{CARDS}\nequals = "price"\nexcept = ["card:*"]', tmp_path)
    assert compare(none, [keys], connection).cause == "no_keys"


def test_stale_keys_are_counted_and_told(keys: redis.Redis) -> None:
    """Sessions are as old as the backup; whether that is too old the criteria file says."""
    keys.mset({f"session:{n}": "x" for n in range(3)} | {"queue:1": "x", "card:1": "x"})
    patterns = {"session:*": 3600.0, "queue:*": 90_000.0, "nothing:*": 60.0}

    found = count_volatile(server_of(keys, own=False), [0], patterns, 7200.0)

    assert [(each["keys"], each["complete"], each["stale"]) for each in found] == [
        (3, True, True), (1, True, False), (0, True, True)
    ]  # fmt: skip
    assert list(volatile_lines(found)) == [
        "3 keys like session:*, 2 h old, useful for 1 h: stale, as expected",
        "1 key like queue:*, 2 h old, useful for 1 d 1 h: not stale yet",
    ]


def test_keys_that_are_like_others_are_excepted(
    keys: redis.Redis, connection: Connection, tmp_path: Path
) -> None:
    """`card:7:comments` is no key of a card."""
    keys.mset({"card:1": "x", "card:1:comments": "x", "card:2:comments": "x", "card:a.b": "x"})
    cards = rule(f"{CARDS}\nexcept = ['card:*:comments', 'card:?.b']", tmp_path)
    assert counts(compare(cards, [keys], connection)) == {"keys": 1}
    assert counts(compare(rule(CARDS, tmp_path), [keys], connection)) == {"keys": 4, "misnamed": 3}


def test_key_that_is_named_twice_is_counted_once(
    keys: redis.Redis, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCAN may do so while a server makes room."""
    keys.mset({f"card:{n}": "x" for n in (1, 2, 77, "x")})
    once = Reader.keys
    monkeypatch.setattr(
        Reader, "keys", lambda self, glob: [each for each in once(self, glob) for _ in range(2)]
    )
    found = compare(rule(CARDS, tmp_path), [keys], connection)
    assert counts(found) == {"keys": 4, "without_row": 1, "misnamed": 1}


@pytest.mark.skipif(not VALKEYS, reason="no server here knows CLIENT NO-TOUCH")
def test_values_that_are_read_do_not_count_as_used(
    connection: Connection, serve: Serve, tmp_path: Path
) -> None:
    """What a full server evicts is not decided by a drill."""
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "0")
    server = serve(*options, binary=VALKEYS[0]).admin
    server.hset("card:1", "price", "1.5")
    before = server.object("freq", "card:1")
    text = f'{CARDS}\nfield = "price"\nequals = "price"'
    assert compare(rule(text, tmp_path), [server], connection).cause == ""
    assert server.object("freq", "card:1") == before
    server.hget("card:1", "price")
    assert server.object("freq", "card:1") > before


def test_keys_of_all_shards(
    keys: redis.Redis, connection: Connection, serve: Serve, tmp_path: Path
) -> None:
    """Those of all servers are one set."""
    keys.mset({"card:1": "x", "card:77": "x"})
    other = serve().admin
    other.mset({f"card:{n}": "x" for n in range(2, 10)})
    both = rule(f'{CARDS}\ndirection = "both"', tmp_path)
    found = compare(both, [keys, other], connection)
    assert counts(found) == {"keys": 10, "without_row": 1, "rows": 9}


def test_interrupt_ends_a_long_comparison(keys: redis.Redis, rows: Target, tmp_path: Path) -> None:
    """The signal of a limit, or Ctrl-C: what it raises is what is raised."""
    slow = rule(f'{CARDS}\ndirection = "rows"\nwhere = "pg_sleep(20) IS NULL"', tmp_path)

    class Ended(Exception):
        """What a limit raises."""

    def ring(*_: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(Ended), open_session(rows) as session:
            compare(slow, [keys], session)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_limits_end_it(keys: redis.Redis, connection: Connection, tmp_path: Path) -> None:
    """Too many keys, too many bytes of them, or too long: it says what, and nothing is left."""
    keys.mset({f"card:{n}": "x" for n in range(3000)})
    cards = rule(CARDS, tmp_path)
    for limits, why in (
        (Limits(keys=1000), "there are more than 1,000 keys"),
        (Limits(size=1000), "the keys take more than 1.0 kB"),
        (Limits(seconds=0), "there are more keys than can be read within 0"),
    ):
        with pytest.raises(TooMuch, match=why):
            compare(cards, [keys], connection, limits=limits)
    assert compare(cards, [keys], connection).keys == 3000
    assert len(keys.connection_pool._available_connections) == 1


def test_key_that_goes_away_meanwhile_is_no_finding(
    keys: redis.Redis, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its name and its value; one whose field is gone is one."""
    keys.hset("card:1", "price", "1.5")
    keys.hset("card:2", "price", "3")
    keys.hset("card:3", "other", "x")
    ask = Reader.ask

    def later(self: Reader, commands: Sequence[bytes]) -> list[Any]:
        if b"HGET" in commands[0]:
            keys.delete("card:2")
        return ask(self, commands)

    monkeypatch.setattr(Reader, "ask", later)
    text = f'{CARDS}\nfield = "price"\nequals = "price"'
    assert counts(compare(rule(text, tmp_path), [keys], connection)) == {"keys": 2, "lacking": 1}


def test_large_values_are_asked_for_in_smaller_batches(
    keys: redis.Redis, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that few of them are in memory at once."""
    monkeypatch.setattr(reading, "MOST_BYTES", 100_000)
    keys.mset({f"card:{n}": "x" * 10_000 for n in range(500)})
    found = compare(rule(f'{CARDS}\nequals = "price"', tmp_path), [keys], connection)
    assert counts(found) == {"keys": 500, "without_row": 491, "unreadable": 9}


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_in_another_encoding(
    encoding: str, shops: Shops, serve: Serve, tmp_path: Path
) -> None:
    """Keys are UTF-8, and are found in LATIN1; a database without an encoding has their bytes."""
    target = shops.database(USUAL, f"coherence_{encoding.lower()}", encoding=encoding)
    fill_shop(target, "CREATE TABLE public.n AS SELECT E'\\351'::text AS name")
    is_bare = encoding == "SQL_ASCII"
    keys = serve().admin
    for name in (b"\xe9" if is_bare else "é".encode(), "☃".encode(), b"\xff"):
        keys.set(b"n:" + name, "x")
    names = rule('keys = "n:{name}"\ntable = "n"', tmp_path)
    with open_session(target) as session:
        found = compare(names, [keys], session, show=True)
    assert found.examples.get("without_row", []) == [b"n:\xe2\x98\x83", b"n:\xff"] * is_bare
    assert (found.keys, found.misnamed) == (3, 0 if is_bare else 2)


def test_a_path_leads_into_lists_and_objects_alone() -> None:
    """Not to a letter of a text, nor to a digit of a number, which is kept as it is written."""
    for text in ('{"price": "15"}', '{"price": 15}', '{"price": true}', '{"price": null}'):
        assert at_path(text, ("price", 0)) is None
    assert at_path('{"price": [15]}', ("price", 0)) == "15"
