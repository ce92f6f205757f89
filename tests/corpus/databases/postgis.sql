-- PostGIS: a geometry with a GiST index, a reference system of one's own, views over ST_ functions.
-- needs: postgis
CREATE EXTENSION postgis;
INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, proj4text) VALUES (990001, 'ours', 1, '+proj=longlat +datum=WGS84 +no_defs');
CREATE TABLE places (id serial PRIMARY KEY, name text, at geometry(Point, 4326) NOT NULL, area geography(Polygon), local geometry(Point, 990001));
CREATE INDEX places_at ON places USING gist (at);
CREATE INDEX places_area ON places USING gist (area);
CREATE INDEX places_far ON places USING gist (ST_Transform(at, 3857));
ALTER TABLE places ADD CONSTRAINT north CHECK (ST_Y(at) > 0);
INSERT INTO places (name, at, area, local) SELECT 'place ' || n, ST_SetSRID(ST_MakePoint(n % 90, 1 + n % 80), 4326), ST_Buffer(ST_SetSRID(ST_MakePoint(n % 90, 1 + n % 80), 4326)::geography, 100), ST_SetSRID(ST_MakePoint(n, n), 990001) FROM generate_series(1, 200) n;
CREATE VIEW near AS SELECT a.id, b.name, ST_Distance(a.at, b.at) AS far FROM places a JOIN places b ON ST_DWithin(a.at, b.at, 1) AND a.id < b.id;
CREATE MATERIALIZED VIEW tiles AS SELECT ST_SnapToGrid(at, 10) AS tile, count(*) AS places FROM places GROUP BY 1;
CREATE FUNCTION nearest(geometry) RETURNS text LANGUAGE sql STABLE AS 'SELECT name FROM public.places ORDER BY at OPERATOR(public.<->) $1 LIMIT 1';
