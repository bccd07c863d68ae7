"""Takes from a forked job every right it does not need. Called once, in the child, before any code of a product runs.

The ladder: own uid (root) > Landlock (any Linux user) > a plain process. Landlock is also laid over the own uid where the kernel has it.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36
# The same numbers on every architecture that has them.
SYS_CREATE_RULESET, SYS_ADD_RULE, SYS_RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# All rights a ruleset handles, by the version of Landlock that brought them; EXECUTE (bit 0) is granted nowhere: a job starts no program.
FS_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
# WRITE_FILE, READ_*, REMOVE_*, MAKE_DIR, MAKE_REG, REFER, TRUNCATE: no devices, sockets, pipes or links made.
WRITE_TREE = (1 << 1) | READ_FILE | READ_DIR | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 13) | (1 << 14)
FILE_ONLY = (1 << 1) | READ_FILE | (1 << 14)
NET_BIND, NET_CONNECT = 1, 2


class _RulesetAttr(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("fd", ctypes.c_int32)]


class _PortRule(ctypes.Structure):
    _fields_ = [("access", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def _syscall(number, *args):
    got = _libc.syscall(ctypes.c_long(number), *args)
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return got


def prctl(option, value):
    if LINUX and _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def landlock_abi():
    """The version of Landlock this kernel offers, 0 for none."""
    if not LINUX:
        return 0
    try:
        return _syscall(SYS_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        return 0


def die_with_parent(parent):
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above.
    if os.getppid() != parent:
        os._exit(70)


def native_threads():
    """Threads of this process as the kernel counts them: Python does not see those of native libraries."""
    if LINUX:
        return len(os.listdir("/proc/self/task"))
    import threading

    return threading.active_count()


def system_paths():
    """What Python, dbt and libpq read outside the job's own folders."""
    files = "hosts nsswitch.conf resolv.conf host.conf gai.conf services localtime ld.so.cache ssl/openssl.cnf mime.types".split()
    paths = {"/usr", "/lib", "/lib64", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", f"/proc/{os.getpid()}"}
    paths.update(f"/etc/{name}" for name in files)
    paths.update({sys.prefix, sys.base_prefix, *(p for p in sys.path if p)})
    return sorted(paths)


def restrict_paths(abi, read, write, connect):
    """From here on only `read` and `write` trees exist for this process, and TCP only to the `connect` numbers. Missing paths are left out."""
    handled = 0
    for since, bits in FS_RIGHTS.items():
        if abi >= since:
            handled |= bits
    attr = _RulesetAttr(handled, NET_BIND | NET_CONNECT if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _syscall(SYS_CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(size), ctypes.c_uint32(0))

    def allow(path, access):
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if not os.path.isdir(path):
                access &= FILE_ONLY
            rule = _PathRule(access & handled, fd)
            _syscall(SYS_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        finally:
            os.close(fd)

    for path in [*system_paths(), *read]:
        allow(path, READ_FILE | READ_DIR)
    for path in [*write, "/dev/null"]:
        allow(path, WRITE_TREE)
    if abi >= 4:
        for number in connect:
            rule = _PortRule(NET_CONNECT, number)
            _syscall(SYS_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(2), ctypes.byref(rule), ctypes.c_uint32(0))
    _syscall(SYS_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def _tasks_of(uid):
    """Threads now running as this uid: RLIMIT_NPROC counts them all, so a limit must stand above them."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                pass
    return total


def _limit(kind, value):
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def isolate(parent, uid, limits, read, write, connect):
    """Drops everything, in the one order that works. Raises rather than run a job with more rights than asked. Returns the rung."""
    if LINUX:
        _limit(resource.RLIMIT_NPROC, _tasks_of(os.getuid() if uid is None else uid) + limits["tasks"])
        # The kernel should rather end a job than the platform when memory runs out.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as f:
            f.write("500")
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits["fileBytes"])
    _limit(resource.RLIMIT_NOFILE, limits["files"])
    if LINUX:
        _limit(resource.RLIMIT_AS, limits["memoryBytes"])
    os.umask(0o077)
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    # setuid clears the signal on the parent's death.
    die_with_parent(parent)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    abi = landlock_abi()
    if abi > 0:
        restrict_paths(abi, read, write, connect)
    return "own-uid" if uid is not None else "landlock" if abi > 0 else "process"
