#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for a test, on a unix socket in a folder of its own.

    postgres.py PROGRAM [ARGUMENT...]   runs it with COCOS_TEST_POSTGRES, and ends as it does

Root can't run one: it is user postgres's then. It ends with whoever started it, whatever ends that.
"""
import fcntl
import glob
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cocos", "tests")
CLUSTER = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
STARTS = 180  # seconds until a server that answers nothing counts as broken


def programs():
    """The folder of initdb and postgres, of the newest release that is installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    if not found:
        sys.exit("tests/postgres.py: package postgresql is missing")
    return os.path.dirname(found[-1])


class Postgres:
    """A server in a new folder. `place`: how to reach it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cocos-postgres-")
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.folder, "data")
        self.server = None
        self.place = f"host={self.folder} user=postgres dbname=postgres"
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        self.copy_cluster()
        self.start()

    def copy_cluster(self):
        """A new one is half a second's work of a processor, and a copy of it a tenth: made once, by whoever comes first. Where
        nothing can be kept, each test makes its own."""
        initdb = os.path.join(programs(), "initdb")
        version = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        key = hashlib.sha256(f"{version} {' '.join(CLUSTER)}".encode()).hexdigest()[:16]
        kept = os.path.join(CACHE, f"postgres-{key}-{self.user.pw_uid if self.user else os.geteuid()}")
        try:
            os.makedirs(CACHE, exist_ok=True)
            lock = open(kept + ".lock", "w", encoding="utf-8")
        except OSError:
            self.run([initdb, "-D", self.data, *CLUSTER])
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.isdir(kept):
                self.run([initdb, "-D", self.data, *CLUSTER])
                self.keep_cluster(kept)
                return
        subprocess.run(["cp", "-a", kept, self.data], check=True)

    def keep_cluster(self, kept):
        """Whole, or not at all: what a full disk or a machine that stops cuts off would fail every later test."""
        new = kept + ".new"
        shutil.rmtree(new, ignore_errors=True)  # of one that was killed
        if subprocess.run(["cp", "-a", self.data, new], check=False).returncode or \
                subprocess.run(["sync", "-f", new], check=False).returncode:
            shutil.rmtree(new, ignore_errors=True)
        else:
            os.rename(new, kept)

    def as_user(self, command):
        """As its user, and no longer than we live. By a program of its own, not between fork and exec: gRPC waits there for
        its threads, which wait for this interpreter."""
        ids = [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"] if self.user else []
        return ["setpriv", "--pdeathsig=QUIT", *ids, *command]

    def run(self, command):
        done = subprocess.run(self.as_user(command), env=self.environment, cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"{command[0]}: {done.stdout.decode(errors='replace')}")

    def start(self, *settings):
        options = ["listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off",
                   "shared_buffers=8MB", "max_connections=20", "autovacuum=off", "logging_collector=off",
                   *settings]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.server = subprocess.Popen(
                self.as_user([os.path.join(programs(), "postgres"), "-D", self.data,
                              *[word for o in options for word in ("-c", o)]]),
                env=self.environment, cwd=self.folder, stdout=log, stderr=log)
        ready = [os.path.join(programs(), "pg_isready"), "-q", "-h", self.folder]
        until = time.monotonic() + STARTS
        while subprocess.run(ready, env=self.environment, check=False).returncode:
            if self.server.poll() is not None or time.monotonic() > until:
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                    sys.exit(f"PostgreSQL does not start: {log.read()}")
            time.sleep(0.05)

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT: at once, as a crash; SIGINT: in order."""
        if self.server:
            self.server.send_signal(how)
            self.server.wait()
            self.server = None

    def sql(self, text, database="postgres"):
        done = subprocess.run([os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                               "-h", self.folder, "-U", "postgres", "-d", database, "-c", text],
                              env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    server = Postgres()
    try:
        environment = {**os.environ, "COCOS_TEST_POSTGRES": server.place}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
