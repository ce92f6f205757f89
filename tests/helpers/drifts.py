"""Backups by age, and a key that is lost."""

from __future__ import annotations

import time


def stamp(age: float) -> str:
    """Time in a backup's name, `age` seconds ago."""
    return time.strftime("%Y%m%d_%H%M%S", time.gmtime(time.time() - age))


DROP_KEY = "ALTER TABLE public.cards DROP CONSTRAINT cards_artist_id_fkey"


KEY = "constraint public.cards.cards_artist_id_fkey"
