"""The index of the drill's stages: each module brings its own options, hooks and fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "src")) if path not in sys.path]

# In a clone its own engine counts, also where an installed one has been loaded before (`doorway`).
loaded = sys.modules.get("restore_drill")
if loaded and (ROOT / "src").is_dir() and str(ROOT / "src") not in str(loaded.__file__):
    for name in [each for each in sys.modules if each.partition(".")[0] == "restore_drill"]:
        del sys.modules[name]

STAGES = (
    "fixtures.garbage",  # before there is more to load
    "fixtures.run",  # before the settings, which it needs: pytest calls what comes last first
    "fixtures.options",
    "fixtures.own_drill",
    "fixtures.verdict",
    "fixtures.select",
    "fixtures.schedule",
    "fixtures.beside",
    "fixtures.promote",
    "fixtures.snapshot",
    "fixtures.target",
    "fixtures.restore",
    "fixtures.recovery",
    "fixtures.facts",
    "fixtures.manifest",
    "fixtures.drift",
    "fixtures.trend",
    "fixtures.criteria",
    "fixtures.application",
    "fixtures.waivers",
    "fixtures.one_by_one",
    "fixtures.redis",
    "fixtures.redis_backup",
    "fixtures.redis_census",
    "fixtures.coherence",
    "fixtures.prove",
    "fixtures.dry_run",
    "fixtures.runs",
    "fixtures.several",
    "fixtures.report",
    "fixtures.report.unbegun",
)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Begin anew where pytest has taken the configuration of a project around the drill.

    This comes before the stages are imported, and by path: see there. The stages are no
    `pytest_plugins`: for each of those pytest reads what all installed packages say of themselves.
    """
    path = ROOT / "fixtures" / "commands" / "own_ini.py"
    spec = importlib.util.spec_from_file_location("drill_ini", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.begin_anew_with_own_ini(pluginmanager.get_plugin("pytestconfig"))
    for stage in STAGES:
        pluginmanager.import_plugin(stage)
