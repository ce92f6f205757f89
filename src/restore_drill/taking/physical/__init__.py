"""Physical backups taken: pg_basebackup, and the facts of a database at a known point of the WAL.

How that point is found: a transaction is seen by others after its commit record is written, and
not at once: it waits for the disk first, perhaps for a standby. So a snapshot sees a part of the
transactions whose records lie before any LSN that is read beside it. What decides is the WAL: it is
received up to behind the snapshot, and its commits are held to that. Where all that are seen lie
before all that are not, recovery up to the record before the first of the latter brings what is
seen, no less and no more. Where they do not, another snapshot is taken.
"""
