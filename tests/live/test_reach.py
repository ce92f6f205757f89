"""However a dump writes it, nothing reaches beyond the one database of a live server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.shop import Shops, pg_dump

BEYOND = """
/* c */ DROP DATABASE other;
DROP/**/DATABASE IF EXISTS other;
DROP DATABASE"other";
ALTER /* /* nested */ */ DATABASE --
    other RENAME TO lost;
ALTER DATABASE"other"CONNECTION LIMIT 0;
ALTER/**/DATABASE/**/postgres/**/CONNECTION LIMIT 0;
COMMENT ON DATABASE/**/other IS 'lost';
ALTER DATABASE {live} CONNECTION LIMIT 0;
ALTER DATABASE/**/{live} SET search_path = lost;
ALTER DATABASE {live} OWNER TO shop_reader;
COMMENT ON DATABASE {live} IS 'lost';
REVOKE ALL ON DATABASE {live} FROM PUBLIC;
ALTER ROLE shop_reader IN DATABASE {live} SET work_mem = '1MB';
GRANT ALL ON DATABASE {live}, other TO shop_reader;
-- c
CREATE /**/ ROLE intruder SUPERUSER;
CREATE ROLE"intruder"SUPERUSER;
create/**/user intruder superuser;
ALTER ROLE"shop_reader"SUPERUSER;
ALTER ROLE/**/ALL SET search_path = lost;
GRANT"pg_execute_server_program"TO shop_reader;
GRANT/**/pg_execute_server_program TO shop_reader;
CREATE TABLESPACE"lost"LOCATION '/tmp';
SECURITY LABEL FOR 'none' ON ROLE shop_reader IS 'lost';
"""
SERVER = """
SELECT array_agg(r::text ORDER BY rolname) FROM pg_roles r
UNION ALL SELECT array_agg(m::text ORDER BY m::text) FROM pg_auth_members m
UNION ALL SELECT array_agg(ROW(setdatabase, setrole, setconfig)::text) FROM pg_db_role_setting
UNION ALL SELECT array_agg(spcname::text) FROM pg_tablespace
UNION ALL SELECT array_agg(description) FROM pg_shdescription
UNION ALL SELECT array_agg(ROW(datname, datdba, datconnlimit, datacl)::text ORDER BY datname)
    FROM pg_database WHERE datname IN ('other', 'postgres', current_database())
"""


def test_nothing_outside_the_database_is_touched(
    live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """However a dump writes a statement about what lies outside, a live server is not given it.

    That is the whole server, and of the database itself what no snapshot holds.
    """
    (backups / "db" / "backup.dump").unlink()
    path = pg_dump(shops.source(15), backups / "db" / "backup.sql")
    beyond = BEYOND.replace("{live}", live.conninfo["dbname"])
    end = b"--\n-- PostgreSQL database dump complete"
    assert path.read_bytes().count(end) == 1
    path.write_bytes(path.read_bytes().replace(end, beyond.encode() + end))
    with live.connect() as connection:
        connection.autocommit = True
        connection.execute("DROP DATABASE IF EXISTS other")
        connection.execute("CREATE DATABASE other")
        before = connection.execute(SERVER.encode()).fetchall()

    drill = drill_live()

    assert drill.code == 0, drill.output
    assert "is not run" in str(drill.result["notes"])
    with live.connect() as connection:
        assert connection.execute(SERVER.encode()).fetchall() == before
        connection.execute("DROP DATABASE other")
