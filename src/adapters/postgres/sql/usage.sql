-- Counting reads. A served view calls its port's function in `heddle_usage`; the function runs, as the reader, one statement that reads nothing and whose
-- alias is the port's name, and pg_stat_statements counts that statement per reader. Readers may neither name the functions (no USAGE on the schema) nor see
-- the statistics. Nothing is written by a reader's transaction.
CREATE SCHEMA IF NOT EXISTS heddle_usage;

CREATE OR REPLACE FUNCTION heddle.ensure_counter(of_port text, owner uuid, of_name text, of_major integer, of_readers text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO heddle.counter (port, product, port_name, major, readers) VALUES (of_port, owner, of_name, of_major, of_readers)
  ON CONFLICT (port) DO UPDATE SET product = excluded.product, port_name = excluded.port_name, major = excluded.major, readers = excluded.readers;
  IF to_regprocedure(format('heddle_usage.%I()', of_port)) IS NULL THEN
    -- no name is looked up in the body, so the reader's search_path means nothing to it
    EXECUTE format('CREATE FUNCTION heddle_usage.%I() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS %L',
      of_port, format('BEGIN PERFORM FROM (SELECT) AS %I; RETURN true; END', of_port));
    EXECUTE format('GRANT EXECUTE ON FUNCTION heddle_usage.%I() TO PUBLIC', of_port);
  END IF;
  IF obj_description(to_regprocedure(format('heddle_usage.%I()', of_port)), 'pg_proc') IS DISTINCT FROM heddle.tag(owner, 'counter') THEN
    EXECUTE format('COMMENT ON FUNCTION heddle_usage.%I() IS %L', of_port, heddle.tag(owner, 'counter'));
  END IF;
END $$;

-- All of a product, or of one of its ports. What was counted goes with them.
CREATE OR REPLACE FUNCTION heddle.drop_counters(owner uuid, of_port text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone heddle.counter;
BEGIN
  -- the sample under way ends first, and the next one finds nothing
  PERFORM FROM heddle.usage_sample FOR UPDATE;
  FOR gone IN DELETE FROM heddle.counter c WHERE c.product = owner AND c.port = coalesce(of_port, c.port) RETURNING * LOOP
    EXECUTE format('DROP FUNCTION IF EXISTS heddle_usage.%I()', gone.port);
    DELETE FROM heddle.usage u WHERE u.port = gone.port;
    DELETE FROM heddle.usage_seen s WHERE s.queryid = gone.queryid;
  END LOOP;
END $$;

-- Who a login reads as; null for the platform's own and for a product that reads itself. The one place that says so: who gives a subject another login
-- adds its kind here.
CREATE OR REPLACE FUNCTION heddle.reader_of(login text, of_product uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    -- over HTTP a subject reads by its second login
    WHEN l.kind IN ('subject', 'reader') THEN l.holder
    WHEN l.kind = 'service' THEN (SELECT format('service:%s/%s', p.domain, p.name) FROM heddle.product p WHERE p.id::text = l.holder AND p.id <> of_product)
  END FROM heddle.login l WHERE l.role = login
$$;

-- A login could run the counted statement itself. It counts only for those who may read the port, who could as well read it. A product reads by its keeper.
CREATE OR REPLACE FUNCTION heddle.may_read(login text, readers text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM heddle.login l LEFT JOIN heddle.keeper k ON l.kind = 'service' AND k.product::text = l.holder
    JOIN pg_roles reader ON reader.rolname = coalesce(k.role, l.role) JOIN pg_roles granted ON granted.rolname = readers
    WHERE l.role = login AND pg_has_role(reader.oid, granted.oid, 'USAGE')
  )
$$;

-- Why reads cannot be counted on this server, in words; null when they can.
CREATE OR REPLACE FUNCTION heddle.usage_obstacle() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN current_setting('server_version_num')::integer < 180000 THEN 'PostgreSQL before 18 does not tell the ports apart'
    WHEN current_setting('pg_stat_statements.max', true) IS NULL THEN 'pg_stat_statements is not in shared_preload_libraries of the server'
    WHEN NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') THEN 'the server does not offer the extension pg_stat_statements'
    WHEN current_setting('pg_stat_statements.track') <> 'all' THEN 'pg_stat_statements.track is not "all"'
    WHEN current_setting('compute_query_id') IN ('off', 'regress') THEN 'compute_query_id is off'
  END
$$;

-- Times of one cause that touch each other are one.
CREATE OR REPLACE FUNCTION heddle.note_usage_gap(since timestamptz, until timestamptz, cause text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heddle.usage_gap g SET to_at = until WHERE g.why = cause AND g.to_at >= since AND g.from_at <= since;
  IF NOT FOUND THEN
    INSERT INTO heddle.usage_gap VALUES (since, until, cause) ON CONFLICT (from_at) DO UPDATE SET to_at = greatest(heddle.usage_gap.to_at, excluded.to_at);
  END IF;
END $$;

-- Adds what was read since the last sample. Samples take turns; each is one transaction, so nothing counts twice.
CREATE OR REPLACE FUNCTION heddle.sample_usage(keep_days integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last heddle.usage_sample;
  moment timestamptz;
  why text := heddle.usage_obstacle();
  home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements');
  stats record;
  uncounted record;
  explained json;
BEGIN
  INSERT INTO heddle.usage_sample (single) VALUES (true) ON CONFLICT DO NOTHING;
  SELECT * INTO last FROM heddle.usage_sample FOR UPDATE;
  moment := clock_timestamp();
  IF why IS NOT NULL THEN
    -- until it is gone, `at` stays where counting stopped
    UPDATE heddle.usage_sample SET obstacle = why, at = CASE WHEN counting_since IS NULL THEN moment ELSE at END;
    RETURN;
  END IF;

  EXECUTE format('SELECT stats_reset, dealloc FROM %I.pg_stat_statements_info', home) INTO stats;
  IF last.counting_since IS NOT NULL THEN
    IF last.obstacle IS NOT NULL THEN
      PERFORM heddle.note_usage_gap(last.at, moment, last.obstacle);
    ELSIF stats.stats_reset <> last.stats_reset THEN
      PERFORM heddle.note_usage_gap(last.at, greatest(stats.stats_reset, last.at),
        CASE WHEN last.server_started <> pg_postmaster_start_time() THEN 'the database server did not stop in order' ELSE 'the statistics were reset' END);
    ELSIF stats.dealloc > last.dealloc THEN
      PERFORM heddle.note_usage_gap(last.at, moment, 'the statistics were full and forgot statements');
    END IF;
  END IF;

  FOR uncounted IN SELECT c.port FROM heddle.counter c WHERE c.queryid IS NULL OR last.server_started IS DISTINCT FROM pg_postmaster_start_time() LOOP
    EXECUTE format('EXPLAIN (VERBOSE, FORMAT JSON) SELECT FROM (SELECT) AS %I', uncounted.port) INTO explained;
    UPDATE heddle.counter c SET queryid = (explained -> 0 ->> 'Query Identifier')::bigint WHERE c.port = uncounted.port;
  END LOOP;

  EXECUTE format($sample$
    WITH fresh AS MATERIALIZED (
      SELECT s.userid, s.queryid, s.stats_since, s.calls, c.port, c.product, c.readers,
        s.calls - CASE WHEN o.stats_since = s.stats_since THEN o.calls ELSE 0 END AS reads
      FROM %I.pg_stat_statements(false) s JOIN heddle.counter c ON c.queryid = s.queryid
      LEFT JOIN heddle.usage_seen o ON o.userid = s.userid AND o.queryid = s.queryid
      WHERE NOT s.toplevel AND s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    ), counted AS (
      INSERT INTO heddle.usage AS u (port, reader, day, reads, last_read_at)
      SELECT f.port, heddle.reader_of(r.rolname, f.product), ($1 AT TIME ZONE 'UTC')::date, sum(f.reads), $1
      FROM fresh f JOIN pg_roles r ON r.oid = f.userid
      WHERE f.reads > 0 AND heddle.reader_of(r.rolname, f.product) IS NOT NULL AND heddle.may_read(r.rolname, f.readers)
      GROUP BY 1, 2
      ON CONFLICT (port, reader, day) DO UPDATE SET reads = u.reads + excluded.reads, last_read_at = excluded.last_read_at
    )
    INSERT INTO heddle.usage_seen (userid, queryid, stats_since, calls) SELECT f.userid, f.queryid, f.stats_since, f.calls FROM fresh f WHERE f.reads <> 0
    ON CONFLICT (userid, queryid) DO UPDATE SET stats_since = excluded.stats_since, calls = excluded.calls
  $sample$, home) USING moment;

  UPDATE heddle.usage_sample SET at = moment, counting_since = coalesce(last.counting_since, moment), obstacle = NULL,
    stats_reset = stats.stats_reset, dealloc = stats.dealloc, server_started = pg_postmaster_start_time();
  DELETE FROM heddle.usage u WHERE u.last_read_at < moment - make_interval(days => keep_days);
  DELETE FROM heddle.usage_gap g WHERE g.to_at < moment - make_interval(days => keep_days);
END $$;
