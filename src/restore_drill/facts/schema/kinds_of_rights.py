"""Kinds of objects: owners, grants, default privileges, comments, security labels."""

from __future__ import annotations

from restore_drill.facts.schema.kinds import Kind

# Schema public belongs to whoever the server's version says, unless somebody has given it away.
OWNERS = """
    SELECT named.type || ' ' || named.identity AS name, pg_get_userbyid(object.owner)
    FROM (
        SELECT 'pg_class'::regclass AS class, oid, relowner AS owner FROM pg_class
            WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND OWN(pg_class, oid)
                AND relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
        UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
            WHERE OWN(pg_proc, oid) AND DUMPED('pg_proc'::regclass, oid)
                AND pronamespace::regnamespace::text !~ '^pg_temp'
        UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
            WHERE OWN(pg_namespace, oid) AND nspname <> 'public' AND nspname !~ '^pg_(toast|temp)'
        UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
            WHERE nspname = 'public' AND nspowner <> 10
                AND pg_get_userbyid(nspowner) <> 'pg_database_owner'
        UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typowner FROM pg_type t
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c') AND OWN(pg_type, t.oid)
                AND NOT EXISTS (
                    SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
        UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
            WHERE OWN(pg_operator, oid) AND oprcode <> 0
        UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_opclass
            WHERE OWN(pg_opclass, oid)
        UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_opfamily
            WHERE OWN(pg_opfamily, oid)
        UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner FROM pg_conversion
            WHERE OWN(pg_conversion, oid)
        UNION ALL SELECT 'pg_language'::regclass, oid, lanowner FROM pg_language
            WHERE OWN(pg_language, oid)
        UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
            WHERE OWN(pg_collation, oid)
        UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
            WHERE OWN(pg_statistic_ext, oid)
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
            WHERE OWN(pg_ts_dict, oid)
        UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
            WHERE OWN(pg_ts_config, oid)
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner
            FROM pg_foreign_data_wrapper WHERE OWN(pg_foreign_data_wrapper, oid)
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_foreign_server
            WHERE OWN(pg_foreign_server, oid)
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_event_trigger
            WHERE OWN(pg_event_trigger, oid)
        UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_publication
            WHERE OWN(pg_publication, oid)
    ) object, pg_identify_object(object.class, object.oid, 0) named
    WHERE NOT TEMPORARY(named)
"""

# What differs from the privileges that an object has when nobody has granted anything. Objects of
# the system count where their privileges are not those that initdb or an extension gave them.
GRANTS = """
    WITH object AS (
        SELECT 'pg_class'::regclass AS class, oid, 0 AS sub, relowner AS owner, relacl AS acl,
            (CASE WHEN relkind = 'S' THEN 's' ELSE 'r' END)::"char" AS type
            FROM pg_class WHERE relacl IS NOT NULL
                AND relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
        UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, c.relowner, a.attacl, 'c'
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proowner, proacl, 'f' FROM pg_proc
            WHERE proacl IS NOT NULL
        UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, nspowner, nspacl, 'n' FROM pg_namespace
            WHERE nspacl IS NOT NULL AND nspname !~ '^pg_(toast|temp)'
        UNION ALL SELECT 'pg_type'::regclass, oid, 0, typowner, typacl, 'T' FROM pg_type
            WHERE typacl IS NOT NULL
        UNION ALL SELECT 'pg_language'::regclass, oid, 0, lanowner, lanacl, 'l' FROM pg_language
            WHERE lanacl IS NOT NULL
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, fdwowner, fdwacl, 'F'
            FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, srvowner, srvacl, 'S'
            FROM pg_foreign_server WHERE srvacl IS NOT NULL
    ), changed AS (
        SELECT object.* FROM object LEFT JOIN pg_init_privs i ON i.classoid = object.class
            AND i.objoid = object.oid AND i.objsubid = object.sub
        WHERE DUMPED(object.class, object.oid) AND (object.acl IS DISTINCT FROM i.initprivs
            OR (object.class = 'pg_namespace'::regclass AND object.oid = (
                SELECT oid FROM pg_namespace WHERE nspname = 'public')))
    ), granted AS (
        SELECT class, oid, sub, owner, x.grantee, string_agg(x.privilege_type
            || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',' ORDER BY x.privilege_type)
            AS privileges
        FROM changed, aclexplode(acl) x WHERE PRIVILEGES GROUP BY 1, 2, 3, 4, 5
    ), usual AS (
        SELECT class, oid, sub, owner, x.grantee, string_agg(x.privilege_type
            || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',' ORDER BY x.privilege_type)
            AS privileges
        FROM changed, aclexplode(acldefault(type, owner)) x WHERE PRIVILEGES
        GROUP BY 1, 2, 3, 4, 5
    )
    SELECT named.type || ' ' || named.identity || ' to '
            || CASE grantee WHEN 0 THEN 'PUBLIC' WHEN owner THEN 'its owner'
                ELSE pg_get_userbyid(grantee)::text END AS name,
        coalesce(granted.privileges, 'none')
    FROM granted FULL JOIN usual USING (class, oid, sub, owner, grantee),
        pg_identify_object(class, oid, sub) named
    WHERE granted.privileges IS DISTINCT FROM usual.privileges AND NOT TEMPORARY(named)
        AND 'information_schema' NOT IN (coalesce(named.schema, ''), named.identity)
"""

DEFAULT_PRIVILEGES = """
    SELECT concat_ws(' ', 'of', pg_get_userbyid(d.defaclrole), 'in schema ' || n.nspname, 'on',
            CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
                ELSE d.defaclobjtype::text END) AS name,
        ARRAY(SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
                || ' ' || x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                COLLATE "C"
            FROM aclexplode(d.defaclacl) x WHERE PRIVILEGES ORDER BY 1)
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
"""

# No dump holds the comment of an object that is gone, nor those of constraints and triggers that
# come with the parent's.
COMMENTS = """
    SELECT named.type || ' ' || named.identity AS name, d.description
    FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) named
    WHERE d.objoid >= 16384 AND named.identity IS NOT NULL AND NOT TEMPORARY(named)
        AND d.classoid NOT IN ('pg_extension'::regclass, 'pg_largeobject'::regclass)
        AND NOT (named.type = 'schema' AND named.identity = 'public')
        AND NOT EXISTS (SELECT 1 FROM pg_depend member WHERE member.classid = d.classoid
            AND member.objid = d.objoid AND member.deptype = 'e')
        AND DUMPED(d.classoid, d.objoid)
        AND NOT (d.classoid = 'pg_constraint'::regclass AND d.objoid IN (
            SELECT oid FROM pg_constraint WHERE contype = 't'
                OR (contype = 'f' AND conparentid <> 0) OR (contype = 'c' AND NOT conislocal)))
        AND NOT (d.classoid = 'pg_trigger'::regclass AND d.objoid IN (
            SELECT oid FROM pg_trigger WHERE tgisinternal OR tgparentid <> 0))
"""

LABELS = """
    SELECT l.provider || ' on ' || named.type || ' ' || named.identity AS name, l.label
    FROM pg_seclabel l, pg_identify_object(l.classoid, l.objoid, l.objsubid) named
    WHERE l.objoid >= 16384 AND named.identity IS NOT NULL AND NOT TEMPORARY(named)
        AND l.classoid <> 'pg_largeobject'::regclass AND DUMPED(l.classoid, l.objoid)
"""

KINDS = (
    Kind("owner of", OWNERS, revision=4, names_since=4),
    Kind("grant on", GRANTS, revision=2, names_since=2),
    Kind("default privileges", DEFAULT_PRIVILEGES),
    Kind("comment on", COMMENTS, revision=3, names_since=3),
    Kind("security label", LABELS, revision=3, names_since=3),
)
