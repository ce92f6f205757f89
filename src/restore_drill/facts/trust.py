"""Large indexes are taken at the word of the server, which built them in this drill of these rows.

To look up each row in a large index, or to sort its keys once more, takes longer than the restore.
Where nothing but PostgreSQL's own code is at work it would prove PostgreSQL, not the backup, which
holds no index: its structure and order are read, and the rest is told as not checked.
"""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.facts.keys import Key
from restore_drill.facts.storage import Structure

FREE = 100_000
"""Cost below which all is looked at: half a second, where counting the rows of a page costs 1."""

WHY = (
    "the server built them here from these rows, and amcheck has read their structure; "
    "--thorough looks up each row"
)


def trusted_indexes(structures: Sequence[Structure], uniques: Sequence[Key]) -> list[Structure]:
    """Indexes to be taken at the server's word: the largest, beyond what costs next to nothing."""
    sorting = {key.oid: key.cost for key in uniques}
    refused = {key.oid for key in uniques if not key.is_unique}
    plain = [
        (each.pages * each.effort + sorting.get(each.oid, 0), each)
        for each in structures
        if each.method == "btree" and each.is_plain and each.oid not in refused
    ]
    spent = 0.0
    trusted = []
    for cost, each in sorted(plain, key=lambda one: (one[0], one[1].oid)):
        spent += cost
        if spent > FREE:
            trusted.append(each)
    return trusted[::-1]
