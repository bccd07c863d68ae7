-- SECURITY DEFINER functions owned by the bootstrap superuser; only the provisioner may call them (grants are in init.ts), the guard excepted.

-- The guard in every served view: a snapshot older than the publication would see an empty table, so it is told to retry.
CREATE OR REPLACE FUNCTION heddle.seen(p text, r integer) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM heddle.revision WHERE port = p AND n = r) THEN RETURN true; END IF;
  RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = format('%s publication %s is newer than your snapshot; retry', p, r);
END $$;

CREATE OR REPLACE FUNCTION heddle.tag(product uuid, kind text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('{"heddle":"%s","kind":"%s"}', product, kind)
$$;

CREATE OR REPLACE FUNCTION heddle.ensure_keeper(keeper text, owner uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
  made boolean := false;
BEGIN
  SELECT r.oid, shobj_description(r.oid, 'pg_authid') AS comment INTO found FROM pg_roles r WHERE r.rolname = keeper;
  IF found.oid IS NULL THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', keeper);
    EXECUTE format('COMMENT ON ROLE %I IS %L', keeper, heddle.tag(owner, 'keeper'));
    made := true;
  ELSIF found.comment IS DISTINCT FROM heddle.tag(owner, 'keeper')
     OR EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = found.oid) THEN
    RAISE EXCEPTION USING ERRCODE = 'HD001', MESSAGE = format('role %s belongs to something else', keeper);
  END IF;
  EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE, ADMIN FALSE', (SELECT name FROM heddle.environment) || '__keeper', keeper);
  INSERT INTO heddle.keeper VALUES (keeper, owner) ON CONFLICT (role) DO UPDATE SET product = excluded.product;
  RETURN made;
END $$;

CREATE OR REPLACE FUNCTION heddle.drop_keeper(owner uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keeper text := (SELECT k.role FROM heddle.keeper k WHERE k.product = owner);
BEGIN
  IF keeper IS NULL THEN RETURN; END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = keeper) THEN
    IF EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = keeper::regrole AND deptype = 'o') THEN
      RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = format('role %s still owns objects', keeper);
    END IF;
    EXECUTE format('DROP OWNED BY %I', keeper);
    EXECUTE format('DROP ROLE %I', keeper);
  END IF;
  DELETE FROM heddle.keeper k WHERE k.role = keeper;
END $$;

-- The explicit, logged act without which the provisioner can neither read nor change what a keeper owns. Ends with the transaction's leave_keeper.
CREATE OR REPLACE FUNCTION heddle.become_keeper(owner uuid, why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keeper text := (SELECT k.role FROM heddle.keeper k WHERE k.product = owner);
BEGIN
  IF keeper IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'HD002', MESSAGE = 'the product has no keeper';
  END IF;
  -- a row lock, not an advisory one: those any login may take
  PERFORM FROM heddle.keeper k WHERE k.product = owner FOR UPDATE;
  EXECUTE format('GRANT %I TO heddle_provisioner WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', keeper);
  RAISE LOG 'heddle: the provisioner acts as % to %', keeper, why;
  RETURN keeper;
END $$;

CREATE OR REPLACE FUNCTION heddle.leave_keeper(owner uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('REVOKE %I FROM heddle_provisioner', (SELECT k.role FROM heddle.keeper k WHERE k.product = owner));
END $$;

-- A batch just loaded: from the provisioner, who made it, to the keeper.
CREATE OR REPLACE FUNCTION heddle.adopt_batch(owner uuid, batch text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text := (SELECT p.base FROM heddle.product p WHERE p.id = owner);
  keeper text := (SELECT k.role FROM heddle.keeper k WHERE k.product = owner);
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_class c WHERE c.relnamespace = place::regnamespace AND c.relname = batch AND c.relkind = 'r'
      AND c.relowner = 'heddle_provisioner'::regrole
  ) THEN
    RAISE EXCEPTION USING ERRCODE = 'HD003', MESSAGE = format('%s.%s is no new batch', place, batch);
  END IF;
  EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', place, batch, keeper);
END $$;

CREATE OR REPLACE FUNCTION heddle.ensure_mask_key(of_domain text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  secret bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
  IF EXISTS (SELECT FROM heddle.mask_key k WHERE k.domain = of_domain) THEN RETURN; END IF;
  FOR i IN 0..31 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(secret, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(secret, i) # 92);
  END LOOP;
  INSERT INTO heddle.mask_key VALUES (of_domain, inner_pad, outer_pad) ON CONFLICT DO NOTHING;
END $$;

-- Statements running longer than their domain allows. No texts: the provisioner has no right to see those.
CREATE OR REPLACE FUNCTION heddle.over_budget() RETURNS TABLE (pid integer, login text, domain text, ms bigint, over_ms bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.pid, l.role, l.domain, x.ms, x.ms - b.statement_ms
  FROM pg_stat_activity a
  JOIN heddle.login l ON l.role = a.usename
  JOIN heddle.budget b ON b.domain = l.domain
  CROSS JOIN LATERAL (SELECT (extract(epoch FROM clock_timestamp() - a.query_start) * 1000)::bigint AS ms) x
  WHERE a.datname = current_database() AND a.state IN ('active', 'fastpath function call') AND x.ms > b.statement_ms
$$;

-- A proof logs in as the subject itself, whose own password must be as good afterwards as before: the verifier is kept here meanwhile. False when
-- another proof has it; one that is older than 5 s was killed, and what it left here is still the person's own.
CREATE OR REPLACE FUNCTION heddle.borrow_login(subject_login text, new_verifier text, until text, let_in boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
BEGIN
  PERFORM FROM heddle.login l WHERE l.role = subject_login AND l.kind IN ('subject', 'reader') FOR UPDATE;
  IF NOT FOUND OR new_verifier NOT LIKE 'SCRAM-SHA-256$%' THEN
    RAISE EXCEPTION USING ERRCODE = 'HD003', MESSAGE = format('%s is no login of a subject', subject_login);
  END IF;
  IF EXISTS (SELECT FROM heddle.borrowed b WHERE b.login = subject_login AND b.at > clock_timestamp() - interval '5 seconds') THEN RETURN false; END IF;
  SELECT * INTO held FROM pg_authid a WHERE a.rolname = subject_login;
  INSERT INTO heddle.borrowed (login, lent, verifier, can_login, valid_until, connections)
  VALUES (subject_login, new_verifier, held.rolpassword, held.rolcanlogin, held.rolvaliduntil::text, held.rolconnlimit)
  ON CONFLICT (login) DO UPDATE SET at = clock_timestamp(), lent = excluded.lent;
  EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL %L CONNECTION LIMIT -1', subject_login, new_verifier, until);
  -- what a proof reads is not the subject's reading: the session it opens is not counted
  IF current_setting('pg_stat_statements.track', true) IS NOT NULL THEN
    EXECUTE format('ALTER ROLE %I SET pg_stat_statements.track = %L', subject_login, 'none');
  END IF;
  IF let_in THEN EXECUTE format('ALTER ROLE %I LOGIN', subject_login); END IF;
  RETURN true;
END $$;

-- Gives back what was borrowed with that verifier, or whatever was borrowed; nothing to give back is fine.
CREATE OR REPLACE FUNCTION heddle.return_login(subject_login text, lent_verifier text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held heddle.borrowed;
BEGIN
  PERFORM FROM heddle.login l WHERE l.role = subject_login FOR UPDATE;
  DELETE FROM heddle.borrowed b WHERE b.login = subject_login AND b.lent = coalesce(lent_verifier, b.lent) RETURNING * INTO held;
  IF held.login IS NULL OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = subject_login) THEN RETURN; END IF;
  EXECUTE format('ALTER ROLE %I %s PASSWORD %s VALID UNTIL %L CONNECTION LIMIT %s', subject_login,
    CASE WHEN held.can_login THEN 'LOGIN' ELSE 'NOLOGIN' END,
    coalesce(quote_literal(held.verifier), 'NULL'), coalesce(held.valid_until, 'infinity'), held.connections);
  IF current_setting('pg_stat_statements.track', true) IS NOT NULL THEN
    EXECUTE format('ALTER ROLE %I RESET pg_stat_statements.track', subject_login);
  END IF;
END $$;

-- What a killed proof left behind; called every second with the budgets.
CREATE OR REPLACE FUNCTION heddle.return_stale_logins() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM heddle.return_login(b.login, NULL) FROM heddle.borrowed b WHERE b.at < now() - interval '1 minute';
END $$;
