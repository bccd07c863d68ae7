-- The wall between what user code made and what the platform reads. Catalogs only: no relation is read before it is sealed, because even
-- `count(*)` runs whatever the maker planted (policies, rules, generated columns) with the rights of the one who counts.

-- Findings: a code of the error registry, the object, and what is wrong with it. Names only.
CREATE OR REPLACE FUNCTION heddle.verify_build(product_id uuid, planned jsonb, settings text[])
RETURNS TABLE (code text, object text, detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  service oid;
  login text;
  build oid;
  this_database oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
BEGIN
  SELECT p.service, p.service::regrole::oid, n.oid INTO STRICT login, service, build
  FROM heddle.product p JOIN pg_namespace n ON n.nspname = p.base || '__build' WHERE p.id = product_id;

  -- 1. nobody is in, nobody can come in
  RETURN QUERY SELECT 'VERIFY_SESSION_OPEN', login, 'the service login is still open'
    WHERE EXISTS (SELECT FROM pg_stat_activity a WHERE a.usesysid = service AND a.pid <> pg_backend_pid())
       OR EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.owner = login)
       OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = service AND r.rolcanlogin);

  -- 2. the service owns nothing but tables, views and indexes of the build schema
  RETURN QUERY SELECT DISTINCT 'VERIFY_FOREIGN_OBJECT', i.identity, i.type
    FROM pg_shdepend s CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, s.objsubid) i
    WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = service AND s.deptype = 'o' AND s.dbid IN (0, this_database)
      AND s.classid <> 'pg_default_acl'::regclass
      AND NOT (s.classid = 'pg_class'::regclass
        AND EXISTS (SELECT FROM pg_class c WHERE c.oid = s.objid AND c.relnamespace = build AND c.relkind IN ('r', 'v', 'i', 't')));
  RETURN QUERY SELECT DISTINCT 'VERIFY_FOREIGN_OBJECT', i.identity, i.type
    FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = build AND d.classid NOT IN ('pg_class'::regclass, 'pg_default_acl'::regclass)
      AND NOT EXISTS (SELECT FROM pg_shdepend s WHERE s.classid = d.classid AND s.objid = d.objid AND s.refobjid = service AND s.deptype = 'o');
  RETURN QUERY SELECT 'VERIFY_OWNED_ELSEWHERE', c.relname::text, 'not made by the service'
    FROM pg_class c WHERE c.relnamespace = build AND c.relowner <> service;
  RETURN QUERY SELECT 'VERIFY_DEFAULT_PRIVILEGES', login, 'default privileges'
    WHERE EXISTS (SELECT FROM pg_default_acl a WHERE a.defaclrole = service OR a.defaclnamespace = build);
  RETURN QUERY SELECT 'VERIFY_ROLE_SETTING', login, split_part(c.entry, '=', 1)
    FROM pg_db_role_setting d CROSS JOIN LATERAL unnest(d.setconfig) AS c (entry)
    WHERE d.setrole = service AND (d.setdatabase <> 0 OR c.entry <> ALL (settings));

  -- 3. tables are ordinary ones
  RETURN QUERY SELECT 'VERIFY_UNLOGGED', c.relname::text, 'unlogged'
    FROM pg_class c WHERE c.relnamespace = build AND c.relkind = 'r' AND c.relpersistence <> 'p';
  RETURN QUERY SELECT 'VERIFY_TRIGGER', c.relname::text, t.tgname::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = build AND NOT t.tgisinternal;
  RETURN QUERY SELECT 'VERIFY_RULE', c.relname::text, r.rulename::text
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = build AND NOT (c.relkind = 'v' AND r.rulename = '_RETURN');
  RETURN QUERY SELECT 'VERIFY_RLS', c.relname::text, 'row level security'
    FROM pg_class c WHERE c.relnamespace = build
      AND (c.relrowsecurity OR c.relforcerowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid));
  RETURN QUERY SELECT 'VERIFY_DEFAULT', c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = build AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attidentity <> '' OR a.attgenerated <> '' OR a.atthasdef);
  RETURN QUERY SELECT 'VERIFY_COLUMN_TYPE_OWN', c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relnamespace = build AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND (t.typnamespace <> 'pg_catalog'::regnamespace OR t.typtype NOT IN ('b', 'r', 'm')
        OR (a.attcollation <> 0 AND l.collnamespace IS DISTINCT FROM 'pg_catalog'::regnamespace));
  RETURN QUERY SELECT 'VERIFY_CONSTRAINT', coalesce(c.relname, f.relname)::text, k.conname::text
    FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
    WHERE (c.relnamespace = build OR f.relnamespace = build) AND k.contype NOT IN ('p', 'u', 'n');
  RETURN QUERY SELECT 'VERIFY_INHERITANCE', c.relname::text, p.relname::text
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent
    WHERE c.relnamespace = build OR p.relnamespace = build;
  RETURN QUERY SELECT 'VERIFY_INDEX_EXPRESSION', c.relname::text, x.relname::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE c.relnamespace = build AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
      OR EXISTS (SELECT FROM unnest(i.indcollation) o JOIN pg_collation l ON l.oid = o WHERE l.collnamespace <> 'pg_catalog'::regnamespace)
      OR EXISTS (SELECT FROM unnest(i.indclass) o JOIN pg_opclass q ON q.oid = o WHERE q.opcnamespace <> 'pg_catalog'::regnamespace));
  RETURN QUERY SELECT DISTINCT 'VERIFY_GRANTED', c.relname::text, CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END
    FROM pg_class c CROSS JOIN LATERAL (
      SELECT e.grantee FROM aclexplode(c.relacl) e
      UNION ALL SELECT e.grantee FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) e WHERE a.attrelid = c.oid
    ) g WHERE c.relnamespace = build AND g.grantee <> service;

  -- 4. what the contract promises is there
  RETURN QUERY SELECT 'VERIFY_PORT_MISSING', o.name, o.source
    FROM jsonb_to_recordset(planned) AS o (name text, source text)
    WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = build AND c.relname = o.source);
  RETURN QUERY SELECT 'VERIFY_PORT_NOT_A_TABLE', o.name, o.source
    FROM jsonb_to_recordset(planned) AS o (name text, source text)
    JOIN pg_class c ON c.relnamespace = build AND c.relname = o.source AND c.relkind <> 'r';
  RETURN QUERY SELECT 'VERIFY_COLUMN_MISSING', o.name, k.name
    FROM jsonb_to_recordset(planned) AS o (name text, source text, columns jsonb)
    JOIN pg_class c ON c.relnamespace = build AND c.relname = o.source AND c.relkind = 'r'
    CROSS JOIN LATERAL jsonb_to_recordset(o.columns) AS k (name text)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k.name AND a.attnum > 0 AND NOT a.attisdropped);
  RETURN QUERY SELECT 'VERIFY_COLUMN_TYPE', o.name, format('%s is %s, not %s', k.name, format_type(a.atttypid, a.atttypmod), k.declared)
    FROM jsonb_to_recordset(planned) AS o (name text, source text, columns jsonb)
    JOIN pg_class c ON c.relnamespace = build AND c.relname = o.source AND c.relkind = 'r'
    CROSS JOIN LATERAL jsonb_to_recordset(o.columns) AS k (name text, declared text, physical text, types text[])
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE CASE
      WHEN k.physical IS NOT NULL THEN to_regtype(k.physical) IS DISTINCT FROM a.atttypid::regtype
        OR (k.physical ~ '\(' AND replace(substring(k.physical FROM '\(([0-9, ]+)\)'), ' ', '')
          IS DISTINCT FROM substring(format_type(a.atttypid, a.atttypmod) FROM '\(([0-9,]+)\)'))
      ELSE NOT (t.typname = ANY (k.types) OR ('[]' = ANY (k.types) AND t.typcategory = 'A'))
    END;
END $$;

-- Locks, verifies and moves: the build schema becomes revision n, owned table by table by the keeper; dbt's views go; a new empty build schema stands.
-- Returns findings; any finding means nothing moved.
CREATE OR REPLACE FUNCTION heddle.seal(product_id uuid, n integer, planned jsonb, settings text[])
RETURNS TABLE (code text, object text, detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place record;
  keeper text := (SELECT k.role FROM heddle.keeper k WHERE k.product = product_id);
  item record;
  views text;
  found_any boolean := false;
BEGIN
  SELECT p.base || '__build' AS build, p.base || '__r' || n AS revision, p.service INTO STRICT place FROM heddle.product p WHERE p.id = product_id;
  IF keeper IS NULL OR NOT EXISTS (
    SELECT FROM pg_namespace s WHERE s.nspname = place.build AND s.nspowner = 'heddle_provisioner'::regrole
  ) THEN
    RAISE EXCEPTION USING ERRCODE = 'HD002', MESSAGE = format('%s is no build schema with a keeper', place.build);
  END IF;
  FOR item IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = place.build::regnamespace AND c.relkind = 'r' ORDER BY c.oid LOOP
    EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS EXCLUSIVE MODE', place.build, item.relname);
  END LOOP;
  FOR code, object, detail IN SELECT * FROM heddle.verify_build(product_id, planned, settings) LOOP
    found_any := true;
    RETURN NEXT;
  END LOOP;
  IF found_any THEN RETURN; END IF;

  SELECT string_agg(format('%I.%I', place.build, c.relname), ', ') INTO views
  FROM pg_class c WHERE c.relnamespace = place.build::regnamespace AND c.relkind = 'v';
  IF views IS NOT NULL THEN EXECUTE 'DROP VIEW ' || views; END IF;
  FOR item IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = place.build::regnamespace AND c.relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', place.build, item.relname, keeper);
    -- grants survive a change of owner with the grantor rewritten; verify let none but the owner's own through
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, %I', place.build, item.relname, place.service);
  END LOOP;
  EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', place.build, place.service);
  EXECUTE format('ALTER SCHEMA %I RENAME TO %I', place.build, place.revision);
  EXECUTE format('COMMENT ON SCHEMA %I IS %L', place.revision, heddle.tag(product_id, 'revision'));
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place.revision, keeper);
  PERFORM heddle.make_build(product_id);
END $$;

CREATE OR REPLACE FUNCTION heddle.make_build(product_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place record;
BEGIN
  SELECT p.base || '__build' AS build, p.service INTO STRICT place FROM heddle.product p WHERE p.id = product_id;
  EXECUTE format('CREATE SCHEMA %I AUTHORIZATION heddle_provisioner', place.build);
  EXECUTE format('COMMENT ON SCHEMA %I IS %L', place.build, heddle.tag(product_id, 'build'));
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', place.build, place.service);
END $$;

-- An empty build schema for the next run: everything an earlier run left, wanted or planted, goes.
CREATE OR REPLACE FUNCTION heddle.clear_build(product_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place record;
  item record;
  service oid;
  build oid;
  this_database oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
BEGIN
  SELECT p.base || '__build' AS build, p.service INTO STRICT place FROM heddle.product p WHERE p.id = product_id;
  service := place.service::regrole::oid;
  SELECT s.oid INTO build FROM pg_namespace s WHERE s.nspname = place.build AND s.nspowner = 'heddle_provisioner'::regrole;
  IF build IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'HD002', MESSAGE = format('%s is no build schema', place.build);
  END IF;
  -- CASCADE below may reach no further than the schema itself
  IF EXISTS (
    SELECT FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
      JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    WHERE c.relnamespace = build AND v.relnamespace <> build
  ) OR EXISTS (
    SELECT FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent
    WHERE p.relnamespace = build AND c.relnamespace <> build
  ) THEN
    RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = format('something outside %s stands on it', place.build);
  END IF;
  FOR item IN
    SELECT a.defaclobjtype AS kind, n.nspname, a.defaclacl FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
    WHERE a.defaclrole = service
  LOOP
    PERFORM heddle.reset_default_privileges(place.service, item.kind, item.nspname, item.defaclacl);
  END LOOP;
  PERFORM lo_unlink(m.oid) FROM pg_largeobject_metadata m WHERE m.lomowner = service;
  -- an empty schema is left as it is: the usual case, and no catalog churn
  IF NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = build) THEN RETURN false; END IF;
  EXECUTE format('DROP SCHEMA %I CASCADE', place.build);
  PERFORM heddle.make_build(product_id);
  IF EXISTS (SELECT FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = service AND s.deptype = 'o' AND s.dbid IN (0, this_database)) THEN
    RAISE EXCEPTION USING ERRCODE = 'HD004', MESSAGE = format('%s owns objects outside %s', place.service, place.build);
  END IF;
  RETURN true;
END $$;

-- PostgreSQL drops the row when privileges are back at what is built in.
CREATE OR REPLACE FUNCTION heddle.reset_default_privileges(role text, kind "char", schema text, acl aclitem[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  noun text := CASE kind WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END;
  head text := format('ALTER DEFAULT PRIVILEGES FOR ROLE %I ', role) || CASE WHEN schema IS NULL THEN '' ELSE format('IN SCHEMA %I ', schema) END;
  who text;
BEGIN
  FOR who IN SELECT DISTINCT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END FROM aclexplode(acl) e LOOP
    EXECUTE head || format('REVOKE ALL ON %s FROM %s', noun, who);
  END LOOP;
  IF schema IS NULL THEN
    EXECUTE head || format('GRANT ALL ON %s TO %I', noun, role);
    IF kind IN ('f', 'T') THEN EXECUTE head || format('GRANT ALL ON %s TO PUBLIC', noun); END IF;
  END IF;
END $$;
