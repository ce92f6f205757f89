"""Its models."""

from django.db import models


class Artist(models.Model):
    """Who made a card."""

    name = models.TextField(unique=True)

    class Meta:
        """The table as it is called."""

        db_table = "artists"

    def __str__(self) -> str:
        """Name."""
        return self.name


class Card(models.Model):
    """What the shop sells."""

    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT)

    class Meta:
        """The table as it is called."""

        db_table = "cards"

    def __str__(self) -> str:
        """Title."""
        return self.title
