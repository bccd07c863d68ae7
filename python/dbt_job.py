"""One job: one dbt invocation in a forked child. Reads its request from the control plane's socket, drops its rights, streams events."""

import json
import multiprocessing.context
import multiprocessing.queues
import os
import signal
import socket
import threading
import time

import column_lineage
import isolate
from place import find_place

import dbt.mp_context  # isort: skip


class ThreadLocks:
    """dbt's locks need to hold only within one process. Its own choice, multiprocessing's, would start a helper program and write to /dev/shm."""

    RLock = staticmethod(threading.RLock)
    Lock = staticmethod(threading.Lock)


dbt.mp_context._MP_CONTEXT = ThreadLocks
multiprocessing.context.BaseContext.SimpleQueue = lambda _: multiprocessing.queues.SimpleQueue(ctx=ThreadLocks)

import dbt.cli.requires as requires  # noqa: E402
import psycopg2  # noqa: E402
from dbt.cli.main import dbtRunner  # noqa: E402

OPTIONS = [
    "--no-use-colors", "--no-use-colors-file", "--quiet", "--log-level-file", "none", "--no-version-check",
    "--no-send-anonymous-usage-stats", "--partial-parse", "--write-json", "--no-static-parser",
]  # fmt: skip
HEARTBEAT_SECONDS = 1.0


class Channel:
    """JSON lines to the control plane, from any thread. A control plane that went away ends the job."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.lock = threading.Lock()

    def send(self, message):
        line = json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
        with self.lock:
            try:
                self.socket.sendall(line)
            except OSError:
                os._exit(71)

    def receive(self):
        chunks = []
        while not chunks or not chunks[-1].endswith(b"\n"):
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                os._exit(71)
            chunks.append(chunk)
        return json.loads(b"".join(chunks))


class Watch:
    """Turns dbt's events into the few we send, and knows which statements run in the database at this moment."""

    def __init__(self, channel, project):
        self.channel = channel
        self.project = project
        self.manifest = None
        self.failures = {}
        self.in_database = set()

    def keep_manifest(self, parse):
        def parsed(*args, **kwargs):
            self.manifest = parse(*args, **kwargs)
            self.channel.send({"event": "parsed", "nodes": len(self.manifest.nodes)})
            return self.manifest

        return parsed

    def __call__(self, event):
        name = event.info.name
        if name == "SQLQuery":
            self.in_database.add(threading.get_ident())
        elif name == "SQLQueryStatus":
            self.in_database.discard(threading.get_ident())
        elif name in ("LogStartLine", "LogHookStartLine"):
            self.started(event.data)
        elif name == "LogTestResult":
            self.failures[event.data.node_info.unique_id] = event.data.num_failures
        elif name == "NodeFinished":
            self.in_database.discard(threading.get_ident())
            self.finished(event.data)
        elif name in ("FoundStats", "PartialParsingEnabled", "UnableToPartialParse"):
            self.channel.send({"event": "log", "level": "info", "text": event.info.msg})
        # What a macro prints may be rows.
        elif event.info.level == "warn" and not name.startswith("Jinja"):
            self.channel.send({"event": "log", "level": "warn", "text": event.info.msg})

    def started(self, data):
        info = data.node_info
        self.channel.send({"event": "node-started", "node": info.unique_id, "resource": info.resource_type, "name": info.node_name,
                           "index": data.index, "total": data.total, "at": time.time()})  # fmt: skip

    def finished(self, data):
        info, result = data.node_info, data.run_result
        # A protobuf Struct. A view's count is -1, a test's is of its own query.
        rows = result.adapter_response["rows_affected"] if "rows_affected" in result.adapter_response else -1
        file, line, column = self.place(info.unique_id, result.message)
        self.channel.send({
            "event": "node-finished", "node": info.unique_id, "resource": info.resource_type, "name": info.node_name,
            "status": result.status, "seconds": result.execution_time, "rows": rows if rows >= 0 and "test" not in info.resource_type else None, "failures": self.failures.get(info.unique_id),
            "message": result.message or None, "file": file, "line": line, "column": column, "at": time.time(),
        })  # fmt: skip

    def place(self, node_id, message):
        node = self.manifest.nodes.get(node_id) or self.manifest.unit_tests.get(node_id) if self.manifest else None
        if node is None:
            return None, None, None
        # A test's message is about rows, not about a place in its file.
        return find_place(self.project, message if "Error" in (message or "") else "", node.original_file_path)


def beat(channel, watch, parent):
    """Runs beside dbt. Says that this process lives and whether it works: a native deadlock stops it or shows no CPU and no statement."""
    while True:
        channel.send({"event": "alive", "cpu": time.process_time(), "statements": len(watch.in_database)})
        time.sleep(HEARTBEAT_SECONDS)
        if os.getppid() != parent:
            os._exit(70)


class Interrupt:
    """Ends the job on SIGINT. dbt's own way out waits for a thread that is about to send its next statement, and hears nothing while its main thread waits
    for the database."""

    def __init__(self):
        self.opened = []
        connect = psycopg2.connect

        def kept(*args, **kwargs):
            handle = connect(*args, **kwargs)
            self.opened.append(handle)
            return handle

        psycopg2.connect = kept

    def wait(self):
        # Blocked since before the fork, so none was lost.
        signal.sigwait({signal.SIGINT})
        for handle in self.opened:
            try:
                handle.cancel()
            except psycopg2.Error:
                pass
        os._exit(130)


def describe(error, project):
    if error is None:
        return None
    file, line, column = find_place(project, str(error))
    return {"type": type(error).__name__, "message": str(error), "file": file, "line": line, "column": column}


def run(socket_path, key, token, parent, uid):
    """Never returns. `key` and `token` (used once) prove which job this is; the answer holds the request and the password."""
    isolate.die_with_parent(parent)
    os.setsid()
    channel = Channel(socket_path)
    channel.send({"event": "hello", "key": key, "token": token})
    job = channel.receive()
    output = os.open(job["outputFile"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    rung = isolate.isolate(parent, uid, job["limits"], job["read"], job["write"], job["connect"])
    os.environ.clear()
    os.environ.update(job["env"])
    os.environ["DBT_ENV_SECRET_PASSWORD"] = job.pop("password")
    time.tzset()
    os.chdir(job["home"])
    channel.send({"event": "started", "isolation": rung})
    watch = Watch(channel, job["projectDir"])
    threading.Thread(target=beat, args=(channel, watch, parent), daemon=True).start()
    requires.parse_manifest = watch.keep_manifest(requires.parse_manifest)
    threading.Thread(target=Interrupt().wait, daemon=True).start()
    result = dbtRunner(callbacks=[watch]).invoke([*job["args"], *OPTIONS])
    channel.send({"event": "done", "success": bool(result.success), "parsed": watch.manifest is not None,
                  "exception": describe(result.exception, job["projectDir"])})  # fmt: skip
    if job["lineage"] and result.success and watch.manifest is not None:
        database = {**job["lineage"]["database"], "password": os.environ["DBT_ENV_SECRET_PASSWORD"]}
        column_lineage.write_lineage(watch.manifest, getattr(result.result, "results", None), database, job["lineage"]["folder"])
    os._exit(0)
