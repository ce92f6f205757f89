--
-- PostgreSQL database dump
--

\restrict FsR3R1VzKOpBmunduHkPZUR0OXEiH31qWmLvHDbm09VI8kFuv8fp8wyGPia9Ohh

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: odd.one; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "odd.one";


ALTER SCHEMA "odd.one" OWNER TO postgres;

--
-- Name: mood; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.mood AS ENUM (
    'low',
    'high'
);


ALTER TYPE public.mood OWNER TO postgres;

--
-- Name: touched(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.touched() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN NEW.seen := now(); RETURN NEW; END$$;


ALTER FUNCTION public.touched() OWNER TO postgres;

--
-- Name: twice(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.twice(n integer) RETURNS integer
    LANGUAGE sql
    AS $$SELECT n * 2$$;


ALTER FUNCTION public.twice(n integer) OWNER TO postgres;

SET default_tablespace = '';

--
-- Name: events.all; Type: TABLE; Schema: odd.one; Owner: postgres
--

CREATE TABLE "odd.one"."events.all" (
    at date,
    what jsonb
)
PARTITION BY RANGE (at);


ALTER TABLE "odd.one"."events.all" OWNER TO postgres;

SET default_table_access_method = heap;

--
-- Name: y2025; Type: TABLE; Schema: odd.one; Owner: postgres
--

CREATE TABLE "odd.one".y2025 (
    at date,
    what jsonb
);


ALTER TABLE "odd.one".y2025 OWNER TO postgres;

--
-- Name: y2026; Type: TABLE; Schema: odd.one; Owner: postgres
--

CREATE TABLE "odd.one".y2026 (
    at date,
    what jsonb
);


ALTER TABLE "odd.one".y2026 OWNER TO postgres;

--
-- Name: artists; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.artists (
    id integer NOT NULL,
    name text NOT NULL,
    mood public.mood
);


ALTER TABLE public.artists OWNER TO postgres;

--
-- Name: artists_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.artists ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.artists_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: cards; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.cards (
    id integer NOT NULL,
    artist_id integer NOT NULL,
    price numeric(8,2),
    seen timestamp with time zone,
    note text COLLATE pg_catalog."C",
    CONSTRAINT cards_price_check CHECK ((price > (0)::numeric))
);


ALTER TABLE public.cards OWNER TO postgres;

--
-- Name: TABLE cards; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.cards IS 'what is sold';


--
-- Name: cards_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.cards_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.cards_id_seq OWNER TO postgres;

--
-- Name: cards_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.cards_id_seq OWNED BY public.cards.id;


--
-- Name: dear; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.dear AS
 SELECT a.name,
    c.price
   FROM (public.artists a
     JOIN public.cards c ON ((c.artist_id = a.id)))
  WHERE ((c.price >= (10)::numeric) AND (c.price <= (99)::numeric));


ALTER TABLE public.dear OWNER TO postgres;

--
-- Name: totals; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.totals AS
 SELECT cards.artist_id,
    sum(cards.price) AS total
   FROM public.cards
  GROUP BY cards.artist_id
  WITH NO DATA;


ALTER TABLE public.totals OWNER TO postgres;

--
-- Name: y2025; Type: TABLE ATTACH; Schema: odd.one; Owner: postgres
--

ALTER TABLE ONLY "odd.one"."events.all" ATTACH PARTITION "odd.one".y2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');


--
-- Name: y2026; Type: TABLE ATTACH; Schema: odd.one; Owner: postgres
--

ALTER TABLE ONLY "odd.one"."events.all" ATTACH PARTITION "odd.one".y2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');


--
-- Name: cards id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cards ALTER COLUMN id SET DEFAULT nextval('public.cards_id_seq'::regclass);


--
-- Name: 16448; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('16448');


ALTER LARGE OBJECT 16448 OWNER TO postgres;

--
-- Data for Name: y2025; Type: TABLE DATA; Schema: odd.one; Owner: postgres
--

COPY "odd.one".y2025 (at, what) FROM stdin;
2025-12-21	{"n": 1, "half": 0.50000000000000000000}
2025-12-22	{"n": 2, "half": 1.00000000000000000000}
2025-12-23	{"n": 3, "half": 1.5000000000000000}
2025-12-24	{"n": 4, "half": 2.0000000000000000}
2025-12-25	{"n": 5, "half": 2.5000000000000000}
2025-12-26	{"n": 6, "half": 3.0000000000000000}
2025-12-27	{"n": 7, "half": 3.5000000000000000}
2025-12-28	{"n": 8, "half": 4.0000000000000000}
2025-12-29	{"n": 9, "half": 4.5000000000000000}
2025-12-30	{"n": 10, "half": 5.0000000000000000}
2025-12-31	{"n": 11, "half": 5.5000000000000000}
\.


--
-- Data for Name: y2026; Type: TABLE DATA; Schema: odd.one; Owner: postgres
--

COPY "odd.one".y2026 (at, what) FROM stdin;
2026-01-01	{"n": 12, "half": 6.0000000000000000}
2026-01-02	{"n": 13, "half": 6.5000000000000000}
2026-01-03	{"n": 14, "half": 7.0000000000000000}
2026-01-04	{"n": 15, "half": 7.5000000000000000}
2026-01-05	{"n": 16, "half": 8.0000000000000000}
2026-01-06	{"n": 17, "half": 8.5000000000000000}
2026-01-07	{"n": 18, "half": 9.0000000000000000}
2026-01-08	{"n": 19, "half": 9.5000000000000000}
2026-01-09	{"n": 20, "half": 10.0000000000000000}
2026-01-10	{"n": 21, "half": 10.5000000000000000}
2026-01-11	{"n": 22, "half": 11.0000000000000000}
2026-01-12	{"n": 23, "half": 11.5000000000000000}
2026-01-13	{"n": 24, "half": 12.0000000000000000}
2026-01-14	{"n": 25, "half": 12.5000000000000000}
2026-01-15	{"n": 26, "half": 13.0000000000000000}
2026-01-16	{"n": 27, "half": 13.5000000000000000}
2026-01-17	{"n": 28, "half": 14.0000000000000000}
2026-01-18	{"n": 29, "half": 14.5000000000000000}
2026-01-19	{"n": 30, "half": 15.0000000000000000}
\.


--
-- Data for Name: artists; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.artists (id, name, mood) FROM stdin;
1	artist 1	high
2	artist 2	low
3	artist 3	high
4	artist 4	low
5	artist 5	high
6	artist 6	low
7	artist 7	high
8	artist 8	low
9	artist 9	high
10	artist 10	low
11	artist 11	high
12	artist 12	low
\.


--
-- Data for Name: cards; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.cards (id, artist_id, price, seen, note) FROM stdin;
1	2	1.25	2026-01-01 01:00:00+00	note 1
2	3	2.50	2026-01-01 02:00:00+00	note 2
3	4	3.75	2026-01-01 03:00:00+00	\N
4	5	5.00	2026-01-01 04:00:00+00	note 4
5	6	6.25	2026-01-01 05:00:00+00	note 0
6	7	7.50	2026-01-01 06:00:00+00	note 1
7	8	8.75	2026-01-01 07:00:00+00	note 2
8	9	10.00	2026-01-01 08:00:00+00	\N
9	10	11.25	2026-01-01 09:00:00+00	note 4
10	11	12.50	2026-01-01 10:00:00+00	note 0
11	12	13.75	2026-01-01 11:00:00+00	note 1
12	1	15.00	2026-01-01 12:00:00+00	note 2
13	2	16.25	2026-01-01 13:00:00+00	\N
14	3	17.50	2026-01-01 14:00:00+00	note 4
15	4	18.75	2026-01-01 15:00:00+00	note 0
16	5	20.00	2026-01-01 16:00:00+00	note 1
17	6	21.25	2026-01-01 17:00:00+00	note 2
18	7	22.50	2026-01-01 18:00:00+00	\N
19	8	23.75	2026-01-01 19:00:00+00	note 4
20	9	25.00	2026-01-01 20:00:00+00	note 0
21	10	26.25	2026-01-01 21:00:00+00	note 1
22	11	27.50	2026-01-01 22:00:00+00	note 2
23	12	28.75	2026-01-01 23:00:00+00	\N
24	1	30.00	2026-01-02 00:00:00+00	note 4
25	2	31.25	2026-01-02 01:00:00+00	note 0
26	3	32.50	2026-01-02 02:00:00+00	note 1
27	4	33.75	2026-01-02 03:00:00+00	note 2
28	5	35.00	2026-01-02 04:00:00+00	\N
29	6	36.25	2026-01-02 05:00:00+00	note 4
30	7	37.50	2026-01-02 06:00:00+00	note 0
31	8	38.75	2026-01-02 07:00:00+00	note 1
32	9	40.00	2026-01-02 08:00:00+00	note 2
33	10	41.25	2026-01-02 09:00:00+00	\N
34	11	42.50	2026-01-02 10:00:00+00	note 4
35	12	43.75	2026-01-02 11:00:00+00	note 0
36	1	45.00	2026-01-02 12:00:00+00	note 1
37	2	46.25	2026-01-02 13:00:00+00	note 2
38	3	47.50	2026-01-02 14:00:00+00	\N
39	4	48.75	2026-01-02 15:00:00+00	note 4
40	5	50.00	2026-01-02 16:00:00+00	note 0
41	6	51.25	2026-01-02 17:00:00+00	note 1
42	7	52.50	2026-01-02 18:00:00+00	note 2
43	8	53.75	2026-01-02 19:00:00+00	\N
44	9	55.00	2026-01-02 20:00:00+00	note 4
45	10	56.25	2026-01-02 21:00:00+00	note 0
46	11	57.50	2026-01-02 22:00:00+00	note 1
47	12	58.75	2026-01-02 23:00:00+00	note 2
48	1	60.00	2026-01-03 00:00:00+00	\N
49	2	61.25	2026-01-03 01:00:00+00	note 4
50	3	62.50	2026-01-03 02:00:00+00	note 0
51	4	63.75	2026-01-03 03:00:00+00	note 1
52	5	65.00	2026-01-03 04:00:00+00	note 2
53	6	66.25	2026-01-03 05:00:00+00	\N
54	7	67.50	2026-01-03 06:00:00+00	note 4
55	8	68.75	2026-01-03 07:00:00+00	note 0
56	9	70.00	2026-01-03 08:00:00+00	note 1
57	10	71.25	2026-01-03 09:00:00+00	note 2
58	11	72.50	2026-01-03 10:00:00+00	\N
59	12	73.75	2026-01-03 11:00:00+00	note 4
60	1	75.00	2026-01-03 12:00:00+00	note 0
61	2	76.25	2026-01-03 13:00:00+00	note 1
62	3	77.50	2026-01-03 14:00:00+00	note 2
63	4	78.75	2026-01-03 15:00:00+00	\N
64	5	80.00	2026-01-03 16:00:00+00	note 4
65	6	81.25	2026-01-03 17:00:00+00	note 0
66	7	82.50	2026-01-03 18:00:00+00	note 1
67	8	83.75	2026-01-03 19:00:00+00	note 2
68	9	85.00	2026-01-03 20:00:00+00	\N
69	10	86.25	2026-01-03 21:00:00+00	note 4
70	11	87.50	2026-01-03 22:00:00+00	note 0
71	12	88.75	2026-01-03 23:00:00+00	note 1
72	1	90.00	2026-01-04 00:00:00+00	note 2
73	2	91.25	2026-01-04 01:00:00+00	\N
74	3	92.50	2026-01-04 02:00:00+00	note 4
75	4	93.75	2026-01-04 03:00:00+00	note 0
76	5	95.00	2026-01-04 04:00:00+00	note 1
77	6	96.25	2026-01-04 05:00:00+00	note 2
78	7	97.50	2026-01-04 06:00:00+00	\N
79	8	98.75	2026-01-04 07:00:00+00	note 4
80	9	100.00	2026-01-04 08:00:00+00	note 0
\.


--
-- Name: artists_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.artists_id_seq', 12, true);


--
-- Name: cards_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.cards_id_seq', 80, true);


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('16448', 131072);
SELECT pg_catalog.lowrite(0, '\x61206c61726765206f626a656374');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: artists artists_name_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.artists
    ADD CONSTRAINT artists_name_key UNIQUE (name);


--
-- Name: artists artists_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.artists
    ADD CONSTRAINT artists_pkey PRIMARY KEY (id);


--
-- Name: cards cards_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cards
    ADD CONSTRAINT cards_pkey PRIMARY KEY (id);


--
-- Name: cards_seen; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX cards_seen ON public.cards USING btree (seen) WHERE (price > (10)::numeric);


--
-- Name: cards cards_touched; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER cards_touched BEFORE UPDATE ON public.cards FOR EACH ROW EXECUTE FUNCTION public.touched();


--
-- Name: cards cards_artist_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cards
    ADD CONSTRAINT cards_artist_id_fkey FOREIGN KEY (artist_id) REFERENCES public.artists(id);


--
-- Name: TABLE artists; Type: ACL; Schema: public; Owner: postgres
--

GRANT SELECT ON TABLE public.artists TO PUBLIC;


--
-- Name: totals; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.totals;


--
-- PostgreSQL database dump complete
--

\unrestrict FsR3R1VzKOpBmunduHkPZUR0OXEiH31qWmLvHDbm09VI8kFuv8fp8wyGPia9Ohh

