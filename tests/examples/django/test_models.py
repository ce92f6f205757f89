"""A team's Django models on the restored database: `pytest drill/ PATH/OF/THIS/FILE`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.apps import apps
from django.db import connection


@pytest.fixture(scope="module", autouse=True)
def shop(application_environment: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application, set up when DATABASE_URL names the restored database (read-only)."""
    application_environment.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    django.setup()
    yield apps
    connection.close()


@pytest.mark.reads_rows
def test_every_model_reads(shop: Any) -> None:
    """Every model finds its table and all of its columns."""
    for model in shop.get_models():
        assert model.objects.first() is not None, f"{model.__name__} has no row"


@pytest.mark.reads_rows
def test_every_card_has_a_named_artist(shop: Any) -> None:
    """A rule of the application, asked through its models."""
    nameless = shop.get_model("shop", "Card").objects.filter(artist__name="").count()
    assert nameless == 0, f"{nameless} cards have an artist without a name"
