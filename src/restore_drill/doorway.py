"""Lets `pytest drill/` in a user's own repository be a drill: a plugin that pytest finds by itself.

It is loaded in every run of pytest where this package is installed, and does nothing where the
command line names no drill folder (see `config.own`). Where it names one, it has pytest begin anew
with the drill's own configuration and the standard criteria, before anything of the repository
(its plugins' options, its `conftest.py`) counts.

The `conftest.py` of the drill folder asks for the same (`own_folder`), for a run without plugins.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from restore_drill.config.own import names, own_drill_among
from restore_drill.core.calling import SUITE


def pytest_addoption(parser: Any, pluginmanager: Any) -> None:
    """Begin the drill anew, where the command line names a drill folder."""
    # pytest rewrites the asserts of all that comes with a plugin, unless it is set otherwise: the
    # engine has none to show, and rewriting it takes seconds where nothing can be cached.
    getattr(pluginmanager.rewrite_hook, "_must_rewrite", set()).discard("restore_drill")
    config = pluginmanager.get_plugin("pytestconfig")
    given = config.invocation_params
    named = parser.parse_known_args(given.args).file_or_dir
    own = own_drill_among(named or ["."], given.dir)
    if own is None:
        return
    # Where a part of the folder is named, the standard criteria stay away, but not their stages.
    asks_for_all = names(own, named or ["."], given.dir)
    first = [str(SUITE / "drill")] if asks_for_all else ["-p", "conftest"]
    path = SUITE / "fixtures" / "commands" / "own_ini.py"
    spec = importlib.util.spec_from_file_location("drill_ini", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    first += [] if named else ["."]
    module.begin_anew_with_own_ini(config, home=own.parent, first=first)
