"""The files of a base backup against its manifest, by pg_verifybackup."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.barman import DATA
from restore_drill.backups.physical.control import CONTROL
from restore_drill.backups.physical.files import LINKS
from restore_drill.backups.physical.findings import Findings
from restore_drill.backups.physical.in_tars import compression_at, tars_in
from restore_drill.backups.physical.manifests import MANIFEST, PIECE, sizes_in
from restore_drill.backups.physical.model import TAR, Member
from restore_drill.backups.physical.programs import LONG, Done, run_program
from restore_drill.backups.physical.stalled import Stalled, Watch, unpacked
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import find_binaries

PROGRAM = "pg_verifybackup"
READS_TARS = 18
"""Major version of the first one that reads tars; it reads those of older servers too."""
NAMES_SYSTEM = 17
"""First major whose manifests hold the system identifier."""
SUFFIXES = {"": ".tar", "gzip": ".tar.gz", "zstd": ".tar.zst", "lz4": ".tar.lz4"}
NEEDS = {"zstd": frozenset({"zstd"}), "lz4": frozenset({"lz4"})}
SAID = re.compile(r"pg_verifybackup: (?:error|warning|detail|hint): +(.*)")
CHECKSUM = re.compile(rb'"Manifest-Checksum": *"([0-9a-f]{64})"\}\s*$')
CLOSED = "Permission denied"


def check_manifest(member: Member, major: int, where: str, found: Findings) -> None:
    """Compare the files of `member` with its manifest; `where` begins each fault.

    CouldNotRun where our means fail: no build of PostgreSQL that does it, a file that is closed.
    """
    if member.manifest is None:
        found.tell(
            f"{where}whether each file is as it was taken",
            "the backup has no manifest (backup_manifest): a bit that has changed in a file since "
            "then shows only where the drill reads the pages",
        )
        return
    build = build_for(member, major, found, where)
    if build is None:
        return
    is_tar = member.form == TAR
    without = options_for(build, major) if is_tar else []
    if without:
        found.tell(
            f"{where}whether {CONTROL} is as its manifest says",
            f"{PROGRAM} of PostgreSQL {build.major} knows that file of its own version alone, and "
            f"that of {major} reads no tars; the server checks it when it starts",
        )
    manifest = ["--manifest-path", str(member.manifest)]
    command = [build.tool(PROGRAM), "--no-parse-wal", *without, *manifest]
    run = run_on_tars if is_tar else run_on_files
    judge(run(command, member, found), member, where, found)


def run_on_files(command: list[str], member: Member, found: Findings) -> Done:
    """What the program says of the files of `member`."""
    before, look = found.done, Counting(found)
    files = str(files_of(member, found))
    done = run_program([*command, files], limit=LONG, waiting=look.count, started=look.begin)
    found.done = before
    found.read(sizes_in(member.manifest) if member.manifest else 0)
    return done


def run_on_tars(command: list[str], member: Member, found: Findings) -> Done:
    """What the program says of the tars of `member`, or of what is in them where it stalls."""
    watch = Watch()
    files = str(tars_of(member, found))
    try:
        return run_program([*command, files], limit=LONG, waiting=watch.look, started=watch.begin)
    except Stalled:
        return run_program([*command, str(unpacked(member, found))], limit=LONG)


def options_for(build: Binaries, major: int) -> list[str]:
    """What keeps the pg_verifybackup of `build` from taking the pg_control of `major` for damaged.

    It looks into that where the manifest holds a system identifier, as those since 17 do.
    """
    is_strange = build.major != major and major >= NAMES_SYSTEM
    return [f"--ignore={CONTROL}"] if is_strange else []


def build_for(member: Member, major: int, found: Findings, where: str) -> Binaries | None:
    """The build whose pg_verifybackup reads `member`; what keeps us from it is told."""
    wanted, needs = major, frozenset[str]()
    if member.form == TAR:
        wanted = max(major, READS_TARS)
        for each in tars_in(member.path).values():
            needs |= NEEDS.get(compression_at(each), frozenset())
    try:
        return find_binaries(wanted, needs=needs, note=lambda _: None)
    except CouldNotRun as error:
        if member.form != TAR:
            raise
        found.tell(
            f"{where}whether each file is as its manifest says",
            f"{PROGRAM} of PostgreSQL {READS_TARS} or newer reads tars, and there is none here "
            f"that reads these: {error.what}",
        )
        return None


class Counting:
    """Reports the bytes that a running program has read, where the system tells."""

    def __init__(self, found: Findings) -> None:
        """Count from what was read before."""
        self.found, self.before, self.process = found, found.done, 0

    def begin(self, process: int) -> None:
        """It has that number."""
        self.process = process

    def count(self, _seconds: float) -> None:
        """Look at how far it is."""
        with suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{self.process}/io").read_text(encoding="ascii")
            self.found.done = self.before
            self.found.read(int(text.split()[1]))


def judge(done: Done, member: Member, where: str, found: Findings) -> None:
    """Note what pg_verifybackup has said of `member`."""
    if done.code == 0:
        return
    closed = [line for line in done.lines if CLOSED in line]
    if closed:
        raise CouldNotRun(
            f"{member.path} cannot be read: {CLOSED}",
            checked=closed[:3],
            remedy=remedy_for("machine", "unreadable"),
        )
    said = [match[1] for line in done.lines if (match := SAID.match(line))]
    found.faults_of(where, said or [f"{PROGRAM} ended with exit code {done.code}"])


def tars_of(member: Member, found: Findings) -> Path:
    """A folder with links to the tars of `member` alone, by the names that pg_verifybackup knows.

    Beside them other things may lie, which it takes for a fault.
    """
    folder = found.place("tars")
    for name, path in tars_in(member.path).items():
        suffix = SUFFIXES.get(compression_at(path), ".tar")
        (folder / f"{name}{suffix}").symlink_to(path.absolute())
    return folder


def files_of(member: Member, found: Findings) -> Path:
    """The folder of `member`; of Barman's one with its tablespaces where they belong.

    They lie beside its data, and the links to them may lead to where they once were.
    """
    is_barman = member.path.name == DATA
    around = member.path.parent.iterdir() if is_barman else ()
    spaces = {each.name: each for each in around if each.name.isdigit() and each.is_dir()}
    if not spaces:
        return member.path
    folder = found.place("files")
    for each in member.path.iterdir():
        if each.name != LINKS:
            (folder / each.name).symlink_to(each.absolute())
    (folder / LINKS).mkdir()
    for name, path in spaces.items():
        (folder / LINKS / name).symlink_to(path.absolute())
    return folder


def check_own_checksum(member: Member, where: str, found: Findings) -> None:
    """Compare the manifest of `member` with the checksum at its end."""
    if member.manifest is None:
        return
    digest, rest = hashlib.sha256(), b""
    with member.manifest.open("rb") as file:
        while piece := file.read(PIECE):
            found.read(len(piece))
            rest += piece
            if len(rest) > PIECE:
                digest.update(rest[:-PIECE])
                rest = rest[-PIECE:]
    body, _, last = rest.rpartition(b'"Manifest-Checksum"')
    stated = CHECKSUM.match(b'"Manifest-Checksum"' + last)
    digest.update(body)
    if stated is None:
        found.fault(f"{where}{MANIFEST} is cut: its checksum does not stand at its end")
    elif digest.hexdigest() != stated[1].decode():
        found.fault(f"{where}{MANIFEST} is not as it was written: its own checksum differs")
