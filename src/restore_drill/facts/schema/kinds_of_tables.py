"""Kinds of objects: schemas, tables and all that belongs to them."""

from __future__ import annotations

from restore_drill.facts.schema.kinds import Kind

SCHEMAS = """
    SELECT n.nspname AS name FROM pg_namespace n
    WHERE OWN(pg_namespace, n.oid) AND n.nspname <> 'public' AND n.nspname !~ '^pg_(toast|temp)'
"""

TABLES = """
    SELECT n.nspname || '.' || c.relname AS name, c.relkind, c.relpersistence,
        pg_get_partkeydef(c.oid) AS expr_key,
        OPTIONS(c.reloptions, table), OPTIONS(t.reloptions, table),
        am.amname, c.reloftype::regtype::text,
        ARRAY(SELECT pn.nspname || '.' || p.relname FROM pg_inherits i
            JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE i.inhrelid = c.oid AND NOT c.relispartition ORDER BY i.inhseqno)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
    LEFT JOIN pg_am am ON am.oid = c.relam
    WHERE c.relkind IN ('r', 'p', 'f') AND OWN(pg_class, c.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

PARTITIONS = """
    SELECT n.nspname || '.' || c.relname AS name, pn.nspname, p.relname,
        pg_get_expr(c.relpartbound, c.oid) AS expr_bound
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_inherits i ON i.inhrelid = c.oid
    JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND OWN(pg_class, c.oid)
"""

# A column that is inherited gets its storage and compression from those above it when a restore
# makes its table; pg_dump writes them only where they are not the type's. So what is the same as
# above counts as usual.
COLUMNS = """
    WITH RECURSIVE above AS (
        SELECT i.inhrelid AS heir, i.inhparent AS parent
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE NOT c.relispartition AND c.relkind IN ('r', 'f')
        UNION SELECT above.heir, i.inhparent
        FROM above JOIN pg_inherits i ON i.inhrelid = above.parent
    )
    SELECT n.nspname || '.' || c.relname || '.' || a.attname AS name,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        CASE WHEN NOT EXISTS (SELECT 1 FROM above
            JOIN pg_attribute p ON p.attrelid = above.parent AND p.attname = a.attname
            WHERE above.heir = a.attrelid AND p.attstorage = a.attstorage)
            THEN nullif(a.attstorage, y.typstorage) END,
        CASE WHEN a.attcompression <> '' AND NOT EXISTS (SELECT 1 FROM above
            JOIN pg_attribute p ON p.attrelid = above.parent AND p.attname = a.attname
            WHERE above.heir = a.attrelid AND p.attcompression = a.attcompression)
            THEN a.attcompression ELSE '' END,
        CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
        OPTIONS(a.attoptions, column),
        OPTIONS(a.attfdwoptions, foreign),
        CASE WHEN a.attcollation <> y.typcollation THEN (
            SELECT s.nspname || '.' || l.collname FROM pg_collation l
            JOIN pg_namespace s ON s.oid = l.collnamespace WHERE l.oid = a.attcollation) END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type y ON y.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        AND OWN(pg_class, c.oid) AND n.nspname !~ '^pg_(toast|temp)'
"""

# Of a table that inherits, its own columns: a restore puts those of its parents before them.
COLUMN_ORDER = """
    SELECT n.nspname || '.' || c.relname AS name,
        ARRAY(SELECT a.attname FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND (c.relispartition OR a.attinhcount = 0) ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND OWN(pg_class, c.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

DEFAULTS = """
    SELECT n.nspname || '.' || c.relname || '.' || a.attname AS name,
        pg_get_expr(d.adbin, d.adrelid) AS expr_default
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE OWN(pg_class, c.oid) AND n.nspname !~ '^pg_(toast|temp)'
"""

# A foreign key of a partition is its parent's; 18 keeps NOT NULL as constraints, see the columns.
# No dump says whether an inherited check is NOT VALID: a restore adds it after the heirs.
CONSTRAINTS = """
    SELECT n.nspname || '.' || coalesce(c.relname, y.typname) || '.' || k.conname AS name,
        k.contype, CASE WHEN k.contype = 'c' AND NOT k.conislocal
            THEN regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
            ELSE pg_get_constraintdef(k.oid) END AS expr_definition
    FROM pg_constraint k
    LEFT JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_type y ON y.oid = k.contypid
    JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, y.typnamespace)
    WHERE k.contype NOT IN ('n', 't') AND NOT (k.contype = 'f' AND k.conparentid <> 0)
        AND n.nspname !~ '^pg_(toast|temp)'
        AND (OWN(pg_class, c.oid) OR OWN(pg_type, y.oid))
"""

INDEXES = """
    SELECT n.nspname || '.' || c.relname AS name, t.oid::regclass::text,
        replace(pg_get_indexdef(i.indexrelid), AS_WRITTEN(c.reloptions, all),
            AS_WRITTEN(c.reloptions, index)) AS expr_definition, i.indisvalid, i.indisclustered,
        i.indisreplident,
        (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = c.oid),
        ARRAY(SELECT a.attstattarget FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY a.attnum)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.relkind IN ('r', 'p', 'm') AND OWN(pg_class, t.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

STATISTICS = """
    SELECT n.nspname || '.' || s.stxname AS name, pg_get_statisticsobjdef(s.oid) AS expr_definition,
        CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE OWN(pg_statistic_ext, s.oid)
"""

ROW_SECURITY = """
    SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relrowsecurity OR c.relforcerowsecurity) AND OWN(pg_class, c.oid)
"""

POLICIES = """
    SELECT n.nspname || '.' || c.relname || '.' || p.polname AS name, p.polcmd, p.polpermissive,
        ARRAY(SELECT CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role)::text END
            COLLATE "C" FROM unnest(p.polroles) role ORDER BY 1),
        pg_get_expr(p.polqual, p.polrelid) AS expr_using,
        pg_get_expr(p.polwithcheck, p.polrelid) AS expr_check
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE OWN(pg_class, c.oid)
"""

REPLICA_IDENTITIES = """
    SELECT n.nspname || '.' || c.relname AS name, c.relreplident
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND OWN(pg_class, c.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

SEQUENCES = """
    SELECT n.nspname || '.' || c.relname AS name, q.seqtypid::regtype::text, q.seqstart,
        q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle,
        (SELECT concat_ws(' ', d.deptype, d.refobjid::regclass, a.attname)
            FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1)
    FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE OWN(pg_class, c.oid) AND n.nspname !~ '^pg_(toast|temp)'
"""

FOREIGN_TABLES = """
    SELECT n.nspname || '.' || c.relname AS name, s.srvname,
        OPTIONS(f.ftoptions, foreign)
    FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_foreign_server s ON s.oid = f.ftserver
    WHERE OWN(pg_class, c.oid)
"""

KINDS = (
    Kind("schema", SCHEMAS),
    Kind("table", TABLES),
    Kind("partition", PARTITIONS),
    Kind("column", COLUMNS, revision=3),
    Kind("order of the columns of", COLUMN_ORDER, revision=2, names_since=2),
    Kind("default of", DEFAULTS),
    Kind("constraint", CONSTRAINTS, revision=2, names_since=2),
    Kind("index", INDEXES),
    Kind("statistics object", STATISTICS),
    Kind("row security of", ROW_SECURITY),
    Kind("policy", POLICIES),
    Kind("replica identity of", REPLICA_IDENTITIES),
    Kind("sequence", SEQUENCES),
    Kind("foreign table", FOREIGN_TABLES),
)
