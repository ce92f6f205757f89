"""Damages to the rows of a copy of the restored database, its sequences and large objects."""

from __future__ import annotations

from restore_drill.damages.model import KEYS, MANIFEST, ROWS, SEQUENCES, DatabaseDamage
from restore_drill.damages.queries import OF_NO_EXTENSION, USER, largest

ROW_DAMAGES = (
    DatabaseDamage(
        "dropped_rows",
        "one row of the largest table is missing",
        ROWS,
        largest(
            "'DELETE FROM ONLY %1$I.%2$I WHERE ctid = (SELECT ctid FROM ONLY %1$I.%2$I LIMIT 1)'"
        ),
    ),
    DatabaseDamage(
        "emptied_table",
        "the largest table is empty",
        ROWS,
        largest("'DELETE FROM ONLY %1$I.%2$I'"),
    ),
    DatabaseDamage(
        "changed_value",
        "one value in the largest table has changed",
        MANIFEST,
        f"""
        SELECT format('UPDATE ONLY %1$I.%2$I SET %3$I = %4$s WHERE ctid ='
                      ' (SELECT ctid FROM ONLY %1$I.%2$I LIMIT 1)', n.nspname, c.relname, a.attname,
                      CASE WHEN a.atttypid IN (21, 23, 20, 1700, 700, 701)
                           THEN format('coalesce(%I, 0) + 1', a.attname)
                           ELSE format('coalesce(%I, '''') || ''.''', a.attname) END)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '' AND a.attidentity = ''
            AND a.atttypid IN (25, 21, 23, 20, 1700, 700, 701)
        WHERE c.relkind = 'r' AND c.reltuples > 0 AND {USER} AND {OF_NO_EXTENSION}
            AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid
                            AND a.attnum = ANY (i.indkey))
            AND NOT EXISTS (SELECT 1 FROM pg_attribute g JOIN pg_index i ON i.indrelid = c.oid
                            WHERE g.attrelid = c.oid AND g.attgenerated <> ''
                            AND g.attnum = ANY (i.indkey))
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k
                            WHERE k.contype IN ('f', 'c')
                            AND (k.conrelid = c.oid AND a.attnum = ANY (k.conkey)
                                 OR k.confrelid = c.oid AND a.attnum = ANY (k.confkey)))
        ORDER BY c.reltuples DESC, c.oid, a.attnum LIMIT 1""",
    ),
    DatabaseDamage(
        "orphan_rows",
        "a row that others reference is missing",
        KEYS,
        f"""
        SELECT format('DELETE FROM ONLY %1$I.%2$I p WHERE EXISTS (SELECT 1 FROM %3$I.%4$I c WHERE '
                      || '%5$s)', fn.nspname, f.relname, n.nspname, c.relname,
                      (SELECT string_agg(format('p.%I = c.%I', r.attname, a.attname), ' AND ')
                       FROM unnest(k.conkey, k.confkey) u (num, refnum)
                       JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
                       JOIN pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.refnum))
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
        WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relkind = 'r' AND f.relkind = 'r'
            AND c.oid <> f.oid AND c.reltuples > 0 AND f.reltuples > 0 AND {USER}
        ORDER BY c.reltuples DESC, k.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "reset_sequence",
        "a sequence was reset behind the values of its column",
        SEQUENCES,
        f"""
        SELECT format('SELECT setval(%L, 1, false)', format('%I.%I', n.nspname, c.relname))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        JOIN pg_class t ON t.oid = d.refobjid AND t.reltuples > 0
        JOIN pg_sequence q ON q.seqrelid = c.oid AND q.seqincrement > 0
        WHERE c.relkind = 'S' AND {USER} ORDER BY t.reltuples DESC, c.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "lost_large_object",
        "a large object is missing",
        MANIFEST,
        "SELECT format('SELECT lo_unlink(%s)', oid) FROM pg_largeobject_metadata LIMIT 1",
    ),
)
