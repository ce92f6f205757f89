"""Keys of Redis against rows: a million at once, against a loop that asks for each key.

    python -m benchmarks.coherence [KEYS [ROUNDS]]

Both compare the same: whether the row of a key is there, and whether its price is that of the key.
The loop is given a share of the keys, and its time is scaled: it takes minutes for a million.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import redis

from restore_drill.config.criteria import Rule
from restore_drill.facts.session import open_session
from restore_drill.redis.coherence.compare import compare
from restore_drill.redis.connection import client_options
from restore_drill.redis.embedded import find_server
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target

ROWS = """
CREATE TABLE public.cards (id bigint PRIMARY KEY, title text, price numeric(10, 2));
INSERT INTO public.cards SELECT n, 'Card ' || n, n + 0.5 FROM generate_series(1, {keys}) n;
ANALYZE public.cards;
"""
SHARE = 50
"""The loop has one of so many keys."""
WRONG = 100
"""One key of so many has no row, and one another price."""
NAMES = Rule("card:{id}", "public.cards", ("card:", ""), ("id",), direction="both")
VALUES = Rule(
    "card:{id}", "public.cards", ("card:", ""), ("id",), "price", equals="price", direction="both"
)


@contextmanager
def started_redis() -> Iterator[redis.Redis]:
    """A Redis that saves nothing, on a socket."""
    with tempfile.TemporaryDirectory(prefix="rd-bench-") as folder:
        socket = f"{folder}/socket"
        options = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        process = subprocess.Popen([find_server(), *options], stdout=subprocess.DEVNULL)
        try:
            while not Path(socket).exists():
                time.sleep(0.01)
            with redis.Redis(unix_socket_path=socket, **client_options()) as client:
                yield client
        finally:
            process.kill()
            process.wait()


def fill(client: redis.Redis, target: Target, keys: int) -> None:
    """A row and a key for each card, but for the wrong ones."""
    with target.connect() as connection:
        connection.execute(ROWS.format(keys=keys).encode())
    for begin in range(1, keys + 1, 10_000):
        pipeline = client.pipeline(transaction=False)
        for n in range(begin, min(begin + 10_000, keys + 1)):
            price = n + (0.5 if n % WRONG else 0.75)
            pipeline.hset(f"card:{n + keys * (n % WRONG == 1)}", "price", f"{price:.2f}")
        pipeline.execute()


def one_by_one(client: redis.Redis, target: Target, keys: int) -> float:
    """Seconds that a loop with a round trip for each key takes for all, by a share of them."""
    asked, wrong = keys // SHARE, 0
    with target.connect() as connection:
        started = time.monotonic()
        for number, key in enumerate(client.scan_iter("card:*", count=1000)):
            if number == asked:
                break
            price = client.hget(key, "price")
            query = "SELECT price FROM public.cards WHERE id = %s"
            row = connection.execute(query, [int(key.removeprefix("card:"))], prepare=True)
            found = row.fetchone()
            wrong += found is None or f"{found[0]:.2f}" != price
        seconds = time.monotonic() - started
    if not asked / WRONG < wrong < 4 * asked / WRONG + 10:
        raise RuntimeError(f"{wrong} wrong of {asked}")
    return seconds * keys / asked


def at_once(client: redis.Redis, target: Target, keys: int, rule: Rule) -> float:
    """Seconds that the comparison takes; its counts are those that were planted."""
    with open_session(target) as session:
        found = compare(rule, [client], session)
    astray = len(range(1, keys + 1, WRONG))
    wrong = keys // WRONG if rule.equals else 0
    if (found.keys, found.without_row, found.without_key, found.differing) != (
        keys, astray, astray, wrong
    ):  # fmt: skip
        raise RuntimeError(f"not what was planted: {found.summary}")
    return found.seconds


def main(keys: int, rounds: int) -> None:
    """Print the medians of interleaved rounds, and the memory of this process."""
    with started_redis() as client:
        binaries = find_binaries(None, note=lambda _: None)
        with start_embedded(binaries, note=lambda _: None, room=keys * 100) as server:
            target = server.create_database("coherence")
            fill(client, target, keys)
            taken, more = [], []
            for _ in range(rounds):
                before = forget_peak()
                names = measured(at_once, client, target, keys, NAMES)
                values = measured(at_once, client, target, keys, VALUES)
                more.append(peak() - before)
                taken.append((names, values, measured(one_by_one, client, target, keys)))
    print(f"{keys:,} keys and rows, {rounds} rounds, medians; the loop by one key of {SHARE}")
    for number, name in enumerate(("names", "names and values", "two round trips a key")):
        seconds, cpu = zip(*[each[number] for each in taken], strict=True)
        loop, loop_cpu = zip(*[each[2] for each in taken], strict=True)
        wall = f"{statistics.median(seconds):7.1f} s, {faster(loop, seconds)} times as fast"
        work = f"{statistics.median(cpu):6.1f} s, {faster(loop_cpu, cpu)} times as little"
        print(f"{name:22} {wall}; processors {work}")
    print(f"memory of the drill's process: {max(more) / 1e6:.1f} MB more at its peak")


def faster(loop: Sequence[float], own: Sequence[float]) -> str:
    """`21 (19-24)`: how many times less the one is, of pairs."""
    ratios = [slow / each for slow, each in zip(loop, own, strict=True)]
    return f"{statistics.median(ratios):.0f} ({min(ratios):.0f}-{max(ratios):.0f})"


def measured(call: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """Seconds that `call` says it took, and processor seconds of it, of all that took part."""
    started, cpu = time.monotonic(), processor_seconds()
    seconds = call(*arguments)
    return seconds, seconds * (processor_seconds() - cpu) / (time.monotonic() - started)


def processor_seconds() -> float:
    """Those of this process and of the servers that it has started, sessions that ended too."""
    own = psutil.Process()
    parts = ("user", "system", "children_user", "children_system")
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        times = process.cpu_times()
        total += sum(float(getattr(times, part)) for part in parts)
    return total


def forget_peak() -> int:
    """Forget the most memory that this process has had so far; how much it has now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


def peak() -> int:
    """The most memory that this process has had since, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1000


if __name__ == "__main__":
    arguments = [int(each) for each in sys.argv[1:]]
    main(*[*arguments, *(1_000_000, 3)[len(arguments) :]])
