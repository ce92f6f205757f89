"""report.html as people see it: opened in headless Chromium, after its JavaScript has run."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.helpers.mini_drill import Done, drill, make_project

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Text(HTMLParser):
    """Collects what a page shows: its title, its text, and the elements that it is made of."""

    def __init__(self, page: str) -> None:
        """Read `page`, the DOM as Chromium dumps it."""
        super().__init__()
        self.title = ""
        self.words: list[str] = []
        self.scripts = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    @property
    def text(self) -> str:
        """Text of the page, white space folded."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element, and whether its text is shown."""
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style", "template", "title"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave a part that is not shown."""
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text that is shown."""
        if not self.open:
            self.words.append(data)
        elif self.open == ["title"]:
            self.title += data
        elif self.open == ["script"]:
            self.scripts += data


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile directory for Chromium."""
    return tmp_path_factory.mktemp("chromium")


def run_chromium(profile: Path, page: Path, *options: str) -> str:
    """Open `page` in headless Chromium; its standard output."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )
    return done.stdout


def opened(profile: Path, done: Done) -> Text:
    """The report of `done` as a browser shows it."""
    return Text(run_chromium(profile, done.page, "--dump-dom"))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A failed drill with table names that are HTML."""
    project = make_project(tmp_path_factory.mktemp("evil") / "project")
    return drill(project, mode="wrong,evil,skip")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A drill of 300 tables, of which one is wrong."""
    return drill(
        make_project(tmp_path_factory.mktemp("many") / "project"),
        mode="wrong,many",
        CI_SECRET="x1y2",
    )


@pytest.fixture(scope="module")
def evil_page(chromium: Path, evil: Done) -> Text:
    """The report with names that are HTML, opened."""
    return opened(chromium, evil)


@pytest.fixture(scope="module")
def many_page(chromium: Path, many: Done) -> Text:
    """The report of many tables, opened."""
    return opened(chromium, many)


@pytest.mark.parametrize(
    ("mode", "arguments", "title", "meaning"),
    [
        ("", [], "PASSED", "The backup was restored, and all 6 criteria that ran passed."),
        (
            "noserver",
            [],
            "COULD NOT RUN",
            "The backup was read to its end and is complete; it was not restored: no server",
        ),
        ("notfound", [], "FAILED", "there is no backup to rely on"),
        ("", ["-k", "redis"], "INCOMPLETE", "no criterion read a row of the restored database"),
        ("skiprows", [], "COULD NOT RUN", "no criterion read a row of the restored database"),
    ],
)
def test_the_page_says_the_verdict_and_what_it_means(
    chromium: Path, tmp_path: Path, mode: str, arguments: list[str], title: str, meaning: str
) -> None:
    """Title, banner and one sentence go with each verdict."""
    page = opened(chromium, drill(make_project(tmp_path / "p"), "drill", *arguments, mode=mode))

    assert page.title == f"Restore drill: {title}"
    assert re.search(rf"Restore drill · [^:]*drilled on \S+ +{title} ", page.text)
    assert meaning in page.text


def test_the_page_has_failures_first(evil_page: Text) -> None:
    """What failed stands above the facts, with its sentence, its message and what to do."""
    text = evil_page.text

    assert evil_page.title == "Restore drill: FAILED"
    assert "1 of 8 criteria failed: do not rely on this backup" in text
    story = text.index("public.cards has 0 rows, the backup holds 1,000")
    assert "Expected: A table holds the rows & keys that lie in the backup." in text
    assert "1. read the <log>" in text
    assert story < text.index("Not checked") < text.index("9f86d081") < text.index("Criteria")


def test_the_page_holds_all_facts(evil_page: Text) -> None:
    """Backup, target, Redis, timeline, tables, business facts and notes stand there with units."""
    for fact in (
        "backup_20261123_050001.sql",
        "size 26.2 MB",
        "age 3 h 25 min",
        "taken 2026-11-23 05:00:01 UTC",
        "dumped from 16.4",
        "server 16.15",
        "latency (median) 0.34 ms",
        "Timeline",
        "4 tables, 3,000 rows, 1 not as expected",
        "public.cards 0 exactly 1,000 (backup) wrong",
        "public.artists 1,000 exactly 1,000 (backup) ok",
        "sum of purchases 12,345.5 at least 1 ok",
        "your own Redis REDIS_URL is unset",
        "whether keys are kept REDIS_URL is unset",
        "the target was cleaned up",
    ):
        assert fact in evil_page.text, fact


def test_names_of_the_dump_are_text(evil_page: Text) -> None:
    """A table called <script> is shown, not run; neither notes nor cells become elements."""
    shown = [
        "public.<script>alert(1)</script> 1,000",
        "public.<script>alert(1)</script> 1 passed",
        "public.a&b|c 1 passed",
        "harmless: <img src=x onerror=alert(2)>",
        "a <b>thing</b>",
    ]

    for text in shown:
        assert text in evil_page.text, text
    sources = [attributes.get("src") for tag, attributes in evil_page.elements if tag == "img"]
    assert "x" not in sources
    assert [tag for tag, _ in evil_page.elements].count("script") == 1
    assert "alert(" not in evil_page.scripts
    assert not [1 for _, attributes in evil_page.elements if "onerror" in attributes]


def test_every_criterion_is_listed_with_its_sentence(evil_page: Text) -> None:
    """By stage and table, with its outcome in the drill's words; a finding leads to its own."""
    ids = [attributes.get("id") for _, attributes in evil_page.elements]
    listed = evil_page.elements[ids.index("criteria") :]
    rows = [attributes for tag, attributes in listed if tag == "li"]
    links = [attributes.get("href") for tag, attributes in evil_page.elements if tag == "a"]

    assert len(rows) == 8
    assert [row["id"] for row in rows if row["class"] == "failed"] == [
        str(links[1]).removeprefix("#")
    ]
    assert "passed Redis answers PING. test_redis_answers" in evil_page.text
    assert "skipped Keys are kept. REDIS_URL is unset test_redis_keeps_keys" in evil_page.text
    assert "XFail" not in evil_page.text and "Skipped" not in evil_page.text


def test_the_page_loads_nothing_and_fits_phones(evil: Done, evil_page: Text) -> None:
    """One file: no address is loaded, a policy forbids it, and the width is the device's."""
    loaded = [
        attributes[name]
        for _, attributes in evil_page.elements
        for name in ("src", "srcset", "data")
        if attributes.get(name)
    ]
    metas = {attributes.get("name") or attributes.get("http-equiv"): attributes.get("content")
             for tag, attributes in evil_page.elements if tag == "meta"}  # fmt: skip

    assert not loaded
    assert "link" not in [tag for tag, _ in evil_page.elements]
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert "default-src 'none'" in str(metas["Content-Security-Policy"])
    assert str(evil.folder.parent.parent) not in evil.page.read_text("utf-8")


def test_many_tables_stay_readable(many_page: Text) -> None:
    """Of 302 tables the wrong one and the largest are shown, the others folded away but there."""
    assert "302 tables, 301,000 rows, 1 not as expected" in many_page.text
    assert "the other 289" in many_page.text
    assert "public.table_299 1,000" in many_page.text
    folds = [attributes for tag, attributes in many_page.elements if tag == "details"]
    groups = [each for each in folds if each.get("class") == "group"]
    assert len(groups) == 302
    assert len([each for each in groups if "open" in each]) == 1


def test_the_environment_is_not_shown(many: Done) -> None:
    """Of the machine the page names its host, the drill and Python: nothing of its environment."""
    assert "x1y2" not in many.page.read_text("utf-8")


def test_search_and_filter_narrow_the_criteria(chromium: Path, many: Done) -> None:
    """Whoever types a table's name sees its criteria, unfolded, and how many there are."""
    typed = """(() => {
        const box = document.querySelector('#criteria input[type=search]')
        box.value = 'TABLE_299'; box.oninput()
        return new Promise(done => setTimeout(() => done([
            document.querySelectorAll('#criteria li:not([hidden])').length,
            document.querySelector('#criteria output').value,
            document.querySelector('#criteria li:not([hidden])').parentElement.parentElement.open
        ].join()), 300))
    })().then(found => document.title = found) && 'waiting'"""

    assert probed(chromium, many, typed, "--virtual-time-budget=2000") == "1,1 of 306,true"


def probed(profile: Path, done: Done, expression: str, *options: str) -> str:
    """Value of a JavaScript `expression` in the opened report of `done`."""
    page = done.folder / "probed.html"
    script = f"<script>document.title = {expression}</script>"
    page.write_text(done.page.read_text("utf-8").replace("</body>", script + "</body>"), "utf-8")
    try:
        return Text(run_chromium(profile, page, *options, "--dump-dom")).title
    finally:
        page.unlink()


@pytest.mark.parametrize("width", [1200, 500])
def test_nothing_is_wider_than_the_window(chromium: Path, evil: Done, width: int) -> None:
    """The page needs no sideways scrolling, on a desk or on a narrow screen."""
    sizes = "[innerWidth, document.documentElement.scrollWidth].join()"

    inner, scrolled = probed(chromium, evil, sizes, f"--window-size={width},900").split(",")

    assert int(inner) == width
    assert int(scrolled) <= width


@pytest.mark.parametrize(
    ("scheme", "colour"), [("0", "rgb(255, 123, 114)"), ("1", "rgb(192, 43, 43)")]
)
def test_a_failed_verdict_is_red_in_the_dark_and_in_the_light(
    chromium: Path, evil: Done, scheme: str, colour: str
) -> None:
    """The word FAILED is drawn in the red of the reader's colour scheme."""
    drawn = "getComputedStyle(document.querySelector('.word')).color"

    assert (
        probed(chromium, evil, drawn, f"--blink-settings=preferredColorScheme={scheme}") == colour
    )


def test_every_bar_of_the_timeline_lies_in_its_track(chromium: Path, evil: Done) -> None:
    """No bar is drawn outside its track, and the restore's is not empty."""
    inside = """[...document.querySelectorAll('#timeline i')].every(bar => {
        const track = bar.parentElement.getBoundingClientRect(), box = bar.getBoundingClientRect()
        return box.width > 0 && box.left >= track.left - 1 && box.right <= track.right + 1
    })"""

    assert probed(chromium, evil, inside) == "true"
