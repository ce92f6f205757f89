"""Kinds of objects: types, functions, and what stands beside the tables."""

from __future__ import annotations

from restore_drill.facts.schema.kinds import Kind

TYPES = """
    SELECT n.nspname || '.' || t.typname AS name, t.typtype,
        ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
        CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        t.typnotnull, pg_get_expr(t.typdefaultbin, 0) AS expr_default,
        CASE WHEN t.typtype = 'd' THEN (SELECT s.nspname || '.' || l.collname FROM pg_collation l
            JOIN pg_namespace s ON s.oid = l.collnamespace WHERE l.oid = t.typcollation) END,
        ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum),
        (SELECT ARRAY[r.rngsubtype::regtype::text, r.rngcanonical::text, r.rngsubdiff::text,
                r.rngmultitypid::regtype::text, r.rngcollation::regcollation::text]
            FROM pg_range r WHERE r.rngtypid = t.oid),
        CASE WHEN t.typtype = 'b' THEN ARRAY[t.typinput::text, t.typoutput::text, t.typlen::text,
            t.typalign::text, t.typcategory::text, t.typdelim::text, t.typdefault] END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE OWN(pg_type, t.oid) AND t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

# Of a composite type the collations of its attributes, of a range the operator class that orders
# it, of a base type how its values are stored.
DETAILS = """
    SELECT n.nspname || '.' || t.typname AS name,
        ARRAY(SELECT coalesce(s.nspname || '.' || l.collname, '-') FROM pg_attribute a
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            LEFT JOIN pg_namespace s ON s.oid = l.collnamespace
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum),
        (SELECT s.nspname || '.' || o.opcname FROM pg_range r
            JOIN pg_opclass o ON o.oid = r.rngsubopc
            JOIN pg_namespace s ON s.oid = o.opcnamespace WHERE r.rngtypid = t.oid),
        CASE WHEN t.typtype = 'b' THEN t.typstorage END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE OWN(pg_type, t.oid) AND t.typtype IN ('c', 'r', 'b')
        AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
        AND n.nspname !~ '^pg_(toast|temp)'
"""

FUNCTIONS = """
    SELECT n.nspname || '.' || f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ')'
            AS name,
        f.prokind, pg_get_function_arguments(f.oid) AS expr_arguments,
        pg_get_function_result(f.oid), l.lanname, f.prosrc, f.probin, f.provolatile, f.proisstrict,
        f.prosecdef, f.proleakproof, f.proparallel, f.procost, f.prorows, f.prosupport::text,
        ARRAY(SELECT setting FROM unnest(f.proconfig) setting ORDER BY setting COLLATE "C"),
        ARRAY(SELECT format_type(type, NULL) FROM unnest(f.protrftypes) type),
        (SELECT ARRAY[a.aggtransfn::text, a.aggfinalfn::text, a.aggcombinefn::text,
                a.aggserialfn::text, a.aggdeserialfn::text, a.aggmtransfn::text,
                a.aggsortop::regoperator::text, format_type(a.aggtranstype, NULL), a.agginitval,
                a.aggkind::text, a.aggfinalmodify::text, a.aggfinalextra::text,
                a.aggtransspace::text, a.aggminvtransfn::text, a.aggmfinalfn::text,
                a.aggmfinalextra::text, a.aggmfinalmodify::text, a.aggmtransspace::text,
                format_type(a.aggmtranstype, NULL), a.aggminitval]
            FROM pg_aggregate a WHERE a.aggfnoid = f.oid)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    JOIN pg_language l ON l.oid = f.prolang
    WHERE OWN(pg_proc, f.oid) AND n.nspname !~ '^pg_temp'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
            AND d.objid = f.oid AND d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass)
"""

SQL_BODIES = """
    SELECT n.nspname || '.' || f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ')'
            AS name, pg_get_function_sqlbody(f.oid) AS expr_body
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.prosqlbody IS NOT NULL AND OWN(pg_proc, f.oid) AND n.nspname !~ '^pg_temp'
"""

EXTENSIONS = """
    SELECT e.extname AS name, n.nspname
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.oid >= 16384
"""

EVENT_TRIGGERS = """
    SELECT e.evtname AS name, e.evtevent, e.evtfoid::regprocedure::text, e.evtenabled,
        ARRAY(SELECT tag FROM unnest(e.evttags) tag ORDER BY tag COLLATE "C")
    FROM pg_event_trigger e WHERE OWN(pg_event_trigger, e.oid)
"""

PUBLICATIONS = """
    SELECT p.pubname AS name, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete,
        p.pubtruncate, p.pubviaroot
    FROM pg_publication p WHERE OWN(pg_publication, p.oid)
"""

PUBLISHED_TABLES_14 = """
    SELECT p.pubname || ': ' || n.nspname || '.' || c.relname AS name, NULL AS expr_filter, '{}'
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""

PUBLISHED_TABLES = """
    SELECT p.pubname || ': ' || n.nspname || '.' || c.relname AS name,
        pg_get_expr(r.prqual, r.prrelid) AS expr_filter,
        ARRAY(SELECT a.attname FROM pg_attribute a
            WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs) ORDER BY 1)::text
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""

PUBLISHED_SCHEMAS = """
    SELECT p.pubname || ': ' || n.nspname AS name
    FROM pg_publication_namespace r JOIN pg_publication p ON p.oid = r.pnpubid
    JOIN pg_namespace n ON n.oid = r.pnnspid
"""

SUBSCRIPTIONS = """
    SELECT s.subname AS name, s.subpublications FROM pg_subscription s
    JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()
"""

WRAPPERS = """
    SELECT w.fdwname AS name, w.fdwhandler::regproc::text, w.fdwvalidator::regproc::text,
        OPTIONS(w.fdwoptions, foreign)
    FROM pg_foreign_data_wrapper w WHERE OWN(pg_foreign_data_wrapper, w.oid)
"""

SERVERS = """
    SELECT s.srvname AS name, w.fdwname, s.srvtype, s.srvversion,
        OPTIONS(s.srvoptions, foreign)
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    WHERE OWN(pg_foreign_server, s.oid)
"""

# Options of a user mapping hold passwords: not even their hash is taken.
USER_MAPPINGS = """
    SELECT m.srvname || ' for ' || m.usename AS name FROM pg_user_mappings m
"""

KINDS = (
    Kind("type", TYPES),
    Kind("details of type", DETAILS, revision=2, names_since=2),
    Kind("function", FUNCTIONS, revision=2),
    Kind("body of function", SQL_BODIES, of_dialect=True),
    Kind("extension", EXTENSIONS),
    Kind("event trigger", EVENT_TRIGGERS),
    Kind("publication", PUBLICATIONS),
    Kind("published table", PUBLISHED_TABLES_14, until=14),
    Kind("published table", PUBLISHED_TABLES, since=15),
    Kind("published schema", PUBLISHED_SCHEMAS, since=15),
    Kind("subscription", SUBSCRIPTIONS),
    Kind("foreign-data wrapper", WRAPPERS),
    Kind("server", SERVERS),
    Kind("user mapping", USER_MAPPINGS),
)
