"""Which column comes from which, read from the SQL that dbt compiled. Runs in the job's own child after its last word on the build, so nothing here can
change what became of it: what cannot be read within the time is named in `missing`. Names only leave this file, never SQL and never a row's value."""

import hashlib
import json
import logging
import os
import resource
import signal
import time

import psycopg2
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage
from sqlglot.schema import MappingSchema

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_SQL = 200_000
MAX_COLUMNS = 200_000
MODEL_SECONDS = 1.0
SECONDS = 5.0
VERSION = 1
BUILT = ("model", "seed", "snapshot")

RELATIONS = """
select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname = any(%s) and c.relkind in ('r', 'v', 'm', 'p', 'f') and a.attnum > 0 and not a.attisdropped
group by 1, 2 limit 20000
"""


class TimeOut(BaseException):
    """Not an Exception: the parser under it may catch those."""


def on_alarm(*_):
    raise TimeOut


def write_lineage(manifest, results, database, folder):
    """Leaves `lineage.json` in the folder. `database` says where to ask for columns: host, port, dbname, user, password."""
    # A step in native code that no alarm ends ends the process: the build is told already.
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + int(3 * SECONDS), used + int(3 * SECONDS)))
    signal.signal(signal.SIGALRM, on_alarm)
    began = time.monotonic()
    try:
        found = read_lineage(manifest, results, database, folder)
    except (Exception, TimeOut) as error:  # noqa: BLE001
        found = {"models": [], "sources": [], "columns": [], "missing": [f"all of it: {type(error).__name__}"]}
    found["ms"] = round((time.monotonic() - began) * 1000)
    path = os.path.join(folder, "lineage.json")
    with open(f"{path}.new", "w", encoding="utf-8") as f:
        json.dump(found, f, separators=(",", ":"))
    os.replace(f"{path}.new", path)


def read_lineage(manifest, results, database, folder):
    deadline = time.monotonic() + SECONDS
    nodes = {node_id: node for node_id, node in manifest.nodes.items() if node.resource_type in BUILT}
    compiled = {result.node.unique_id: getattr(result.node, "compiled_code", None) for result in results or []}
    relations = {}
    for node_id, node in nodes.items():
        if not is_ephemeral(node):
            relations[node.schema, node.alias] = f"model:{node.alias}"
    for source in manifest.sources.values():
        relations.setdefault((source.schema, source.identifier), f"source:{source.identifier}")
    columns = read_columns(database, sorted({schema for schema, _ in relations}))
    sources = {source.schema for source in manifest.sources.values()}
    for schema, name in columns:
        # Written by hand instead of source(): it is read all the same.
        if schema in sources:
            relations.setdefault((schema, name), f"source:{name}")

    cache = Cache(folder)
    models, edges, missing = [], [], []
    for node_id, node in nodes.items():
        if is_ephemeral(node):
            continue
        reads = parents(node_id, nodes, manifest.sources)
        names = columns.get((node.schema, node.alias), [])
        sql = compiled.get(node_id)
        if node.resource_type == "model" and sql and names:
            try:
                found = cache.read(sql, names, relations, columns) or trace(sql, names, relations, columns, deadline)
                cache.keep(found)
                reads |= set(found["reads"])
                edges.extend([node.alias, *edge] for edge in found["edges"])
            except (Exception, TimeOut) as error:  # noqa: BLE001
                missing.append(f"{node.alias}: {describe(error)}")
        elif node.resource_type == "model" and node_id in compiled:
            missing.append(f"{node.alias}: no SQL to read" if names else f"{node.alias}: its columns are not known")
        models.append({"name": node.alias, "columns": names, "reads": sorted(reads)})
    cache.save()
    read = {name for model in models for name in model["reads"]} | {edge[2] for edge in edges}
    known = [
        {"name": ref.removeprefix("source:"), "columns": columns.get(key, [])}
        for key, ref in relations.items()
        if ref in read and ref.startswith("source:")
    ]
    return {"models": models, "sources": known, "columns": edges[:MAX_COLUMNS], "missing": missing}


def is_ephemeral(node):
    return node.config.materialized == "ephemeral"


def parents(node_id, nodes, sources):
    """Models and sources below a node; what is ephemeral is no relation, so what it reads stands for it."""
    found, seen, waiting = set(), set(), list(nodes[node_id].depends_on_nodes)
    while waiting:
        parent = waiting.pop()
        if parent in seen:
            continue
        seen.add(parent)
        if parent in sources:
            found.add(f"source:{sources[parent].identifier}")
        elif parent in nodes and is_ephemeral(nodes[parent]):
            waiting.extend(nodes[parent].depends_on_nodes)
        elif parent in nodes:
            found.add(f"model:{nodes[parent].alias}")
    return found


def read_columns(database, schemas):
    connection = psycopg2.connect(**database, connect_timeout=3, options="-c statement_timeout=3000")
    try:
        with connection.cursor() as cursor:
            cursor.execute(RELATIONS, (schemas,))
            return {(schema, name): columns for schema, name, columns in cursor.fetchall()}
    finally:
        connection.close()


def trace(sql, names, relations, columns, deadline):
    """The tables a query reads, and `[column, relation, its column]` for each of the query's columns."""
    seconds = min(MODEL_SECONDS, deadline - time.monotonic())
    if len(sql) > MAX_SQL or seconds <= 0:
        raise TooLarge if len(sql) > MAX_SQL else TimeOut
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        query = parse_one(sql, dialect="postgres")
        if not isinstance(query, exp.Query):
            raise SqlglotError("not a query")
        ctes = {cte.alias for cte in query.find_all(exp.CTE)}
        tables = {
            (table.db, table.name) for table in query.find_all(exp.Table) if not (table.db == "" and table.name in ctes)
        }
        read = {}
        for schema, name in tables & columns.keys():
            read.setdefault(schema, {})[name] = dict.fromkeys(columns[schema, name], "unknown")
        schema = MappingSchema(read, dialect="postgres", normalize=False)
        # Two names only: the database is always the same, and a third would have to stand in every table.
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
        edges = []
        roots = lineage(None, query, schema, dialect="postgres", copy=False, trim_selects=False)
        for column, root in roots.items():
            if column not in names:
                continue
            leaves = {
                (relations[node.expression.db, node.expression.name], node.name.rsplit(".", 1)[-1].strip('"'))
                for node in root.walk()
                if isinstance(node.expression, exp.Table) and (node.expression.db, node.expression.name) in relations
            }
            edges.extend([column, ref, name] for ref, name in sorted(leaves))
        return {"reads": sorted(relations[table] for table in tables if table in relations), "edges": edges}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class TooLarge(Exception):
    pass


def describe(error):
    """Never the error's own text: it quotes the SQL."""
    if isinstance(error, TimeOut):
        return "its SQL takes too long to read"
    if isinstance(error, (RecursionError, MemoryError)):
        return "its SQL is nested too deeply"
    if isinstance(error, TooLarge):
        return f"its SQL is longer than {MAX_SQL // 1000} kB"
    return "its SQL could not be read"


class Cache:
    """What was found in an earlier run stays true for the same SQL over the same columns."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "lineage_cache.json")
        self.kept = {}
        self.key = None
        try:
            with open(self.path, encoding="utf-8") as f:
                self.known = json.load(f)
        except (OSError, ValueError):
            self.known = {}
        if not isinstance(self.known, dict):
            self.known = {}

    def read(self, sql, names, relations, columns):
        below = sorted((*key, ref, columns.get(key, [])) for key, ref in relations.items() if key[1] in sql)
        text = json.dumps([VERSION, sql, names, below])
        self.key = hashlib.sha256(text.encode()).hexdigest()
        found = self.known.get(self.key)
        return found if isinstance(found, dict) and {"reads", "edges"} <= found.keys() else None

    def keep(self, found):
        self.kept[self.key] = found

    def save(self):
        if self.kept.keys() == self.known.keys():
            return
        with open(f"{self.path}.new", "w", encoding="utf-8") as f:
            json.dump(self.kept, f, separators=(",", ":"))
        os.replace(f"{self.path}.new", self.path)
