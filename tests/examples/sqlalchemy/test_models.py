"""A team's SQLAlchemy models on the restored database: `pytest drill/ PATH/OF/THIS/FILE`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import ForeignKey, create_engine, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from restore_drill.servers.urls import DatabaseUrl


class Base(DeclarativeBase):
    """What a team imports from its own code instead: `from shop.models import Base, Card`."""


class Artist(Base):
    """Who made a card."""

    __tablename__ = "artists"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Card(Base):
    """What the shop sells."""

    __tablename__ = "cards"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    price: Mapped[float]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    artist: Mapped[Artist] = relationship()


@pytest.fixture(scope="module")
def session(restored_url: DatabaseUrl) -> Iterator[Session]:
    """Session on the restored database; it is read-only."""
    engine = create_engine(restored_url.sqlalchemy)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.mark.reads_rows
def test_models_fit_the_database(session: Session) -> None:
    """Every table of the models is there with every column of theirs."""
    inspector = inspect(session.get_bind())
    for table in Base.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        lost = {column.name for column in table.columns} - there
        assert not lost, f"{table.name} lacks {', '.join(sorted(lost))}"


@pytest.mark.reads_rows
def test_cards_load_with_their_artists(session: Session) -> None:
    """Cards are read through the models, each with its artist."""
    cards = session.scalars(select(Card).limit(20)).all()
    assert cards, "no card was read"
    assert all(card.artist.name for card in cards), "a card's artist has no name"


def test_a_card_can_be_sold(writable_url: DatabaseUrl) -> None:
    """Code that commits runs on a throwaway copy."""
    engine = create_engine(writable_url.sqlalchemy)
    with Session(engine) as session:
        card = session.scalars(select(Card).limit(1)).one()
        card.price += 1
        session.commit()
    engine.dispose()
