"""`restore-drill completion`: a script by which bash (and zsh) complete commands and options."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from restore_drill.config.commands import COMMANDS, DRILL
from restore_drill.config.options import OPTIONS, TARGETS

DRILLS = ("reference", "bisect")
"""Commands that take the drill's options."""

SCRIPT = """\
# eval "$(restore-drill completion)"; in zsh first: autoload -U +X bashcompinit && bashcompinit
_restore_drill() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local options='@options'
    case ${COMP_WORDS[1]} in
@each
    esac
    case $before in
        --target) COMPREPLY=($(compgen -W '@targets' -- "$word")); return ;;
        --report-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
    esac
    case $word in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        *)
            COMPREPLY=($(compgen -f -- "$word"))
            if [ "$COMP_CWORD" = 1 ]; then
                COMPREPLY+=($(compgen -W '@commands' -- "$word"))
            fi
            ;;
    esac
}
complete -o filenames -F _restore_drill restore-drill
"""


def own_options() -> Iterator[tuple[str, list[str]]]:
    """Each command that is no drill, with its options."""
    for name, (module, _) in COMMANDS.items():
        if name in DRILLS:
            continue
        parser = argparse.ArgumentParser()
        importlib.import_module(module).add_arguments(parser)
        yield name, list(dict.fromkeys(flags_of(parser)))


def flags_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Options of `parser`, and those of its subcommands."""
    for action in parser._actions:  # noqa: SLF001 - there is no other way
        yield from (flag for flag in action.option_strings if flag.startswith("--"))
        if isinstance(action.choices, dict):
            for each in action.choices.values():
                yield from flags_of(each)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""
    del parser


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Print the script; exit code 0."""
    del parsed, root
    words = {
        "@commands": [DRILL, *COMMANDS],
        "@each": [f"\n        {name}) options='{' '.join(own)}' ;;" for name, own in own_options()],
        "@options": [option.flag for option in OPTIONS.values()]
        + ["--dry-run", "--prove", "--help"],
        "@targets": TARGETS,
    }
    script = SCRIPT.replace("\n@each", "@each")
    for mark, values in words.items():
        script = script.replace(mark, " ".join(values))
    sys.stdout.write(script)
    return 0
