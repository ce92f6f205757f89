"""The index of the drill's stages: each module brings its own options, hooks and fixtures."""

pytest_plugins = (
    "fixtures.settings",
    "fixtures.record",
    "fixtures.steps",
    "fixtures.verdict",
    "fixtures.stages",
    "fixtures.interrupt",
    "fixtures.backup.stage",
    "fixtures.snapshot",
    "fixtures.target.stage",
    "fixtures.restore.stage",
    "fixtures.census.stage",
    "fixtures.manifest.stage",
    "fixtures.freshness",
    "fixtures.sql_criteria.stage",
    "fixtures.application",
    "fixtures.waivers",
    "fixtures.redis.stage",
    "fixtures.prove.stage",
    "fixtures.report",
    "fixtures.history",
)
