"""One of the drill's own criteria, to be asked again of other facts than those of a drill."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LEFT_OUT = {"redis", "coherence", "snapshot", "prove"}
"""Stages whose criteria do not look at the backup or the restored database."""


@dataclass(frozen=True)
class Criterion:
    """A criterion by the name of its id, with the values of its `parameters`."""

    name: str
    function: Callable[..., object]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asks(self) -> set[str]:
        """Names of the fixtures and parameters that it takes."""
        return set(inspect.signature(self.function).parameters)

    def arguments(
        self, facts: Mapping[str, Any], fixture_value: Callable[[str], Any]
    ) -> dict[str, Any]:
        """Values of what it takes: of `facts`, else those that `fixture_value` gives by name."""
        given = {**facts, **self.parameters}
        return {name: given[name] if name in given else fixture_value(name) for name in self.asks}
