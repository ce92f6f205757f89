"""The index of the drill's stages: each module brings its own options, hooks and fixtures."""

pytest_plugins = (
    "fixtures.settings",
    "fixtures.stages",
    "fixtures.interrupt",
    "fixtures.record",
    "fixtures.steps",
    "fixtures.verdict",
    "fixtures.backup.stage",
    "fixtures.snapshot",
    "fixtures.target.stage",
    "fixtures.restore.stage",
    "fixtures.census.stage",
    "fixtures.redis.stage",
    "fixtures.report",
)
