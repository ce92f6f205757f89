"""Dumps in the way of pg_dump before 11: unqualified names under a search_path, shorter tags.

No server or pg_dump so old can be had for tests: the text follows their sources.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.judge import judge, read_backup, restore, settings_with
from tests.helpers.shop import Shops

OLD = """--
-- PostgreSQL database dump
--

-- Dumped from database version 9.6.24
-- Dumped by pg_dump version 9.6.24

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET row_security = off;

--
-- TOC entry 2187 (class 1262 OID 12407)
-- Dependencies: 2186
-- Name: shop; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON DATABASE shop IS 'the shop';

--
-- TOC entry 8 (class 2615 OID 16385)
-- Name: billing; Type: SCHEMA; Schema: -; Owner: old_owner
--

CREATE SCHEMA billing;
ALTER SCHEMA billing OWNER TO old_owner;

--
-- Name: plpgsql; Type: EXTENSION; Schema: -; Owner:
--

CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;

--
-- Name: EXTENSION plpgsql; Type: COMMENT; Schema: -; Owner:
--

COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';

SET search_path = billing, pg_catalog;
SET default_tablespace = '';
SET default_with_oids = false;

--
-- TOC entry 187 (class 1259 OID 16389)
-- Name: lines; Type: TABLE; Schema: billing; Owner: old_owner; Tablespace:
--

CREATE TABLE lines (
    id integer NOT NULL,
    what text DEFAULT 'x'
);
ALTER TABLE lines OWNER TO old_owner;

SET search_path = public, pg_catalog;

--
-- Name: lines; Type: TABLE; Schema: public; Owner: old_owner; Tablespace:
--

CREATE TABLE lines (
    id integer NOT NULL
);

SET search_path = billing, pg_catalog;

--
-- TOC entry 2182 (class 0 OID 16389)
-- Data for Name: lines; Type: TABLE DATA; Schema: billing; Owner: old_owner
--

{billing}

SET search_path = public, pg_catalog;

--
-- Data for Name: lines; Type: TABLE DATA; Schema: public; Owner: old_owner
--

{public}

SET search_path = billing, pg_catalog;

--
-- Name: lines_pkey; Type: CONSTRAINT; Schema: billing; Owner: old_owner; Tablespace:
--

ALTER TABLE ONLY lines
    ADD CONSTRAINT lines_pkey PRIMARY KEY (id);

--
-- Name: lines; Type: ACL; Schema: billing; Owner: old_owner
--

REVOKE ALL ON TABLE lines FROM PUBLIC;
REVOKE ALL ON TABLE lines FROM old_owner;
GRANT ALL ON TABLE lines TO old_owner;
GRANT SELECT ON TABLE lines TO old_reader;

--
-- Name: public; Type: ACL; Schema: -; Owner: postgres
--

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO PUBLIC;

--
-- PostgreSQL database dump complete
--
"""
ROWS = {
    "copy": {
        "billing": "COPY lines (id, what) FROM stdin;\n1\ta\n2\tb\n3\t\\N\n\\.\n",
        "public": "COPY lines (id) FROM stdin;\n1\n\\.\n",
    },
    "inserts": {
        "billing": "".join(f"INSERT INTO lines VALUES ({n}, NULL);\n" for n in (1, 2, 3)),
        "public": "INSERT INTO lines (id) VALUES (1);",
    },
}


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("form", ROWS)
def test_old_dump_is_green(form: str, split: bool, shops: Shops, tmp_path: Path) -> None:  # noqa: FBT001
    """Rows are counted under the search_path, and shorter tags are those of the same objects."""
    (tmp_path / "old.sql").write_text(OLD.format(**ROWS[form]))
    facts = read_backup(tmp_path / "old.sql", tmp_path, settings_with())
    assert facts["contents"].rows == {"billing.lines": 3, "public.lines": 1}

    facts = restore(facts, shops.database(15, f"old_{form}_{split}"), split=split)

    assert facts["restoration"].errors == []
    assert judge(facts).red == ()


def test_object_lost_from_an_old_dump_is_named(shops: Shops, tmp_path: Path) -> None:
    """A key and a grant that did not come back are missed, though their tags are shorter."""
    text = OLD.format(**ROWS["copy"])
    key = "ALTER TABLE ONLY lines\n    ADD CONSTRAINT lines_pkey PRIMARY KEY (id);"
    grant = "GRANT SELECT ON TABLE lines TO old_reader;"
    assert key in text and grant in text
    lost = text.replace(key, "").replace(grant, "")
    (tmp_path / "lost.sql").write_text(lost)
    facts = read_backup(tmp_path / "lost.sql", tmp_path, settings_with())

    facts = restore(facts, shops.database(15, "old_lost"))

    assert set(facts["facts"].missing_objects) == {
        "CONSTRAINT billing.lines_pkey",
        "ACL billing.lines",
    }
