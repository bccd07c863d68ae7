"""Keeps dbt imported and warm, and forks one child per job. It holds no password, no row and no product's code.

Standard input: {"op":"run","key","token","uid"} and {"op":"signal","key","signal":"INT"|"KILL"}, one JSON object a line; its end means that the
control plane died. Standard output: ready, forked, refused, exited. A child's events go by its own connection to the control plane's socket.
Usage: fork_server.py SOCKET SCRATCH
"""

import gc
import json
import os
import selectors
import signal
import sys
import time

BEGAN = time.monotonic()
HERE = os.path.dirname(os.path.abspath(__file__))
# Whatever prints must not reach the protocol.
PROTOCOL = os.dup(1)
os.dup2(2, 1)
os.set_inheritable(PROTOCOL, False)
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import isolate  # noqa: E402

# The imports and the warm-up take seconds in which nobody reads standard input: a control plane that is killed meanwhile takes this process with it.
isolate.prctl(isolate.PR_SET_PDEATHSIG, signal.SIGKILL)

import dbt_job  # noqa: E402

# What a build imports late; each is read once here instead of once in every child.
import dbt.adapters.postgres  # noqa: E402,F401
import dbt.task.build  # noqa: E402,F401
import dbt.version  # noqa: E402
import psycopg2.extras  # noqa: E402,F401


def say(**message):
    os.write(PROTOCOL, json.dumps(message).encode() + b"\n")


def warm(scratch):
    """Parses a project of ours. Without the static parser: its native threads would not survive the fork, and a child would wait for them for ever."""
    project = os.path.join(HERE, "warm_project")
    args = ["parse", "--project-dir", project, "--profiles-dir", project, "--target-path", os.path.join(scratch, "target"),
            "--log-path", os.path.join(scratch, "log"), *dbt_job.OPTIONS]  # fmt: skip
    result = dbt_job.dbtRunner().invoke(args)
    if not result.success:
        raise SystemExit(f"the warm-up project does not parse: {result.exception}")
    gc.collect()
    # Collections in a child would touch, and so copy, the parent's pages.
    gc.freeze()


def ended_child():
    """A child that ended but still has its number, so that its group can be ended with it; -1 where the system cannot tell (macOS before Python 3.13)."""
    if not hasattr(os, "waitid"):
        return -1
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found.si_pid if found else -1


class Server:
    def __init__(self, socket_path):
        self.socket_path = socket_path
        self.jobs = {}
        self.buffer = b""

    def handle(self, request):
        if request["op"] == "run":
            self.fork(request)
        elif request["op"] == "signal":
            for pid, key in list(self.jobs.items()):
                if key == request["key"]:
                    self.kill(pid, signal.SIGINT if request["signal"] == "INT" else signal.SIGKILL)

    def kill(self, pid, number):
        # Unreaped children keep their number, so this never hits a stranger. The group goes with a SIGKILL; SIGINT is dbt's main thread's.
        try:
            if number == signal.SIGKILL:
                os.killpg(pid, number)
        except OSError:
            pass
        try:
            os.kill(pid, number)
        except OSError:
            pass

    def fork(self, request):
        threads = isolate.native_threads()
        if threads != 1:
            say(op="refused", key=request["key"], reason=f"{threads} native threads in the fork server")
            raise SystemExit(3)
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            say(op="refused", key=request["key"], reason=f"cannot fork: {error.strerror}")
            return
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_DFL)
                nothing = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nothing, 0)
                os.closerange(3, 256)
                dbt_job.run(self.socket_path, request["key"], request["token"], parent, request.get("uid"))
            except BaseException as error:  # noqa: BLE001
                # Names only: a message may quote what a product wrote.
                os.write(2, f"job {request['key']}: {type(error).__name__}\n".encode())
            finally:
                os._exit(72)
        self.jobs[pid] = request["key"]
        say(op="forked", key=request["key"], pid=pid)

    def reap(self):
        while True:
            try:
                pid = ended_child()
                if pid in self.jobs:
                    self.kill(pid, signal.SIGKILL)
                pid, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            key = self.jobs.pop(pid, None)
            self.end_strays()
            if key is not None:
                code = os.waitstatus_to_exitcode(status)
                say(op="exited", key=key, pid=pid, **({"signal": -code} if code < 0 else {"code": code}))

    def end_strays(self):
        """Processes a job left behind in another session come to us, as the subreaper."""
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as f:
                children = [int(pid) for pid in f.read().split()]
        except OSError:
            return
        for pid in children:
            if pid not in self.jobs:
                self.kill(pid, signal.SIGKILL)

    def end(self, *_):
        for pid in list(self.jobs):
            self.kill(pid, signal.SIGKILL)
        self.end_strays()
        os._exit(0)

    def serve(self):
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.end)
        with selectors.DefaultSelector() as ready:
            ready.register(0, selectors.EVENT_READ)
            ready.register(wake_read, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fd == wake_read:
                        os.read(wake_read, 4096)
                        self.reap()
                    else:
                        self.read()

    def read(self):
        chunk = os.read(0, 1 << 16)
        if not chunk:
            self.end()
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        for line in lines:
            self.handle(json.loads(line))


def main():
    socket_path, scratch = sys.argv[1:3]
    # Ctrl-C in a terminal goes to the whole group; the control plane decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A job's own waits until the job can hear it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    isolate.prctl(isolate.PR_SET_CHILD_SUBREAPER, 1)
    warm(scratch)
    # From here on the end of standard input says it, and the jobs are ended one by one.
    isolate.prctl(isolate.PR_SET_PDEATHSIG, 0)
    server = Server(socket_path)
    threads = isolate.native_threads()
    if threads != 1:
        raise SystemExit(f"{threads} native threads after the warm-up, expected 1: forked jobs could hang")
    say(op="ready", pid=os.getpid(), seconds=round(time.monotonic() - BEGAN, 3), landlock=isolate.landlock_abi(), dbt=dbt.version.__version__)
    server.serve()


if __name__ == "__main__":
    main()
