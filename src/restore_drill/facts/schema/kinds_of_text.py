"""Kinds of objects: text search, collations, and operators, casts and their like."""

from __future__ import annotations

from restore_drill.facts.schema.kinds import Kind

DICTIONARIES = """
    SELECT n.nspname || '.' || d.dictname AS name, t.tmplname, d.dictinitoption
    FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
    JOIN pg_ts_template t ON t.oid = d.dicttemplate
    WHERE OWN(pg_ts_dict, d.oid)
"""

CONFIGURATIONS = """
    SELECT n.nspname || '.' || f.cfgname AS name, f.cfgparser::text,
        ARRAY(SELECT ARRAY[m.maptokentype::text, m.mapdict::regdictionary::text]
            FROM pg_ts_config_map m WHERE m.mapcfg = f.oid ORDER BY m.maptokentype, m.mapseqno)
    FROM pg_ts_config f JOIN pg_namespace n ON n.oid = f.cfgnamespace
    WHERE OWN(pg_ts_config, f.oid)
"""

COLLATIONS = """
    SELECT n.nspname || '.' || l.collname AS name, l.collprovider, l.collisdeterministic,
        coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate),
        nullif(l.collctype, l.collcollate), to_jsonb(l) ->> 'collicurules'
    FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
    WHERE OWN(pg_collation, l.oid)
"""

# An operator without a function is a shell, which no dump can write.
OTHERS = """
    SELECT named.type || ' ' || named.identity AS name, object.definition
    FROM (
        SELECT 'pg_operator'::regclass AS class, oid, ROW(oprcode::regprocedure,
            oprcom::regoperator, oprnegate::regoperator, oprrest::regproc, oprjoin::regproc,
            oprcanmerge, oprcanhash)::text AS definition
            FROM pg_operator WHERE OWN(pg_operator, oid) AND oprcode <> 0
        UNION ALL SELECT 'pg_opclass'::regclass, oid, ROW(opcdefault, opcintype::regtype,
            opckeytype::regtype,
            (SELECT opfname FROM pg_opfamily f WHERE f.oid = opcfamily))::text
            FROM pg_opclass WHERE OWN(pg_opclass, oid)
        UNION ALL SELECT 'pg_opfamily'::regclass, f.oid, ROW(
            ARRAY(SELECT ROW(m.amopstrategy, m.amoppurpose, m.amopopr::regoperator,
                    (SELECT opfname FROM pg_opfamily s WHERE s.oid = m.amopsortfamily))::text
                FROM pg_amop m WHERE m.amopfamily = f.oid ORDER BY 1),
            ARRAY(SELECT ROW(m.amprocnum, m.amproclefttype::regtype, m.amprocrighttype::regtype,
                    m.amproc::regprocedure)::text
                FROM pg_amproc m WHERE m.amprocfamily = f.oid ORDER BY 1))::text
            FROM pg_opfamily f WHERE OWN(pg_opfamily, f.oid)
        UNION ALL SELECT 'pg_cast'::regclass, oid,
            ROW(castcontext, castmethod, castfunc::regprocedure)::text
            FROM pg_cast WHERE OWN(pg_cast, oid)
        UNION ALL SELECT 'pg_conversion'::regclass, oid,
            ROW(conforencoding, contoencoding, conproc::regproc, condefault)::text
            FROM pg_conversion WHERE OWN(pg_conversion, oid)
        UNION ALL SELECT 'pg_transform'::regclass, oid,
            ROW(trffromsql::regprocedure, trftosql::regprocedure)::text
            FROM pg_transform WHERE OWN(pg_transform, oid)
        UNION ALL SELECT 'pg_am'::regclass, oid, ROW(amtype, amhandler::regproc)::text
            FROM pg_am WHERE OWN(pg_am, oid)
        UNION ALL SELECT 'pg_language'::regclass, oid, ROW(lanpltrusted,
            lanplcallfoid::regprocedure, laninline::regprocedure, lanvalidator::regprocedure)::text
            FROM pg_language WHERE OWN(pg_language, oid)
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid, ROW(prsstart::regproc, prstoken::regproc,
            prsend::regproc, prsheadline::regproc, prslextype::regproc)::text
            FROM pg_ts_parser WHERE OWN(pg_ts_parser, oid)
        UNION ALL SELECT 'pg_ts_template'::regclass, oid,
            ROW(tmplinit::regproc, tmpllexize::regproc)::text
            FROM pg_ts_template WHERE OWN(pg_ts_template, oid)
    ) object, pg_identify_object(object.class, object.oid, 0) named
    WHERE NOT TEMPORARY(named)
"""

KINDS = (
    Kind("text search dictionary", DICTIONARIES),
    Kind("text search configuration", CONFIGURATIONS),
    Kind("collation", COLLATIONS, revision=2),
    Kind("object", OTHERS, revision=3, names_since=2),
)
