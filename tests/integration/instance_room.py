# SPDX-License-Identifier: Apache-2.0
"""Instances of cocos-computations on one PostgreSQL, and a proxy before them that knows by /readyz where to go, as haproxy
does in docs/operators.md."""
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import grpc

from harness import PATIENCE, ROOT, Computations, Folder, Process, authority, computations_grpc, program, until
from ports import free_port

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres  # pylint: disable=wrong-import-position

LEASE = "6s"  # whoever is kept from renewing it loses it: where nothing but the test may take it, it is the longer one
LONG_LEASE = "20s"
TAKES = 240  # seconds for a lease to end and another one to serve, on a machine that has much else to do
CHECK_EVERY, CHECK_FOR = 0.2, 10


class Instance(Computations):
    """One of several; it serves agents on an address of its own, and the page, as for other machines, on a port."""

    def __init__(self, folder, room, name, address, **settings):
        self.name, self.address, self.metrics, self.web = name, address, free_port(), free_port()
        self.room, self.channel = room, None
        super().__init__(folder, DATABASE=room.server.place, INSTANCE=name,
                         ADMIN_SERVER_CERT=room.tls("server.pem"), ADMIN_SERVER_KEY=room.tls("server-key.pem"),
                         ADMIN_SIGN_IN="true", WEB_ORIGIN=f"https://localhost:{room.web}",
                         GRPC_HOST=address, WEB=f"0.0.0.0:{self.web}", METRICS=f"127.0.0.1:{self.metrics}",
                         **({"INSTANCE_ADDRESS": f"{address}:{room.inner}"} if room.passes else {}),
                         **{"GRPC_PORT": str(room.agents), "LEASE": room.settings.get("LEASE", LEASE), **settings})

    def begin(self):
        config = self.folder.write("computations.conf", "".join(f"{k}={v}\n" for k, v in self.settings.items()))
        self.process = Process([*self.wrapper, program("cocos-computations"), "--config", config])
        return self

    def start(self):
        self.begin()
        until(lambda: self.ready()[0] is not None, "its answer")
        self.dial()
        return self

    def dial(self):
        """A channel of its own for each time that it serves: one that is older tries again when it likes."""
        if self.channel:
            self.channel.close()
        self.channel = grpc.insecure_channel("unix:" + self.socket)
        self.admin = computations_grpc.ComputationServiceStub(self.channel)

    def ready(self, path="/readyz", timeout=PATIENCE):
        """(status, line); (None, why) if it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode().rstrip("\n")
        except (OSError, http.client.HTTPException) as why:
            return None, str(why)
        finally:
            connection.close()

    def serves(self, timeout=PATIENCE):
        return self.ready(timeout=timeout) == (200, "serving")

    def stands_by(self):
        status, line = self.ready()
        return status == 503 or (status == 200 and line.startswith("passes on to instance "))

    def passes_to(self, other):
        return self.ready() == (200, "passes on to instance " + other.name)

    def metric(self, name):
        text = self.ready("/metrics")[1]
        return next((float(line.split()[1]) for line in text.split("\n") if line.startswith(name + " ")), None)

    def front(self, port):
        """Where it has what the proxy has on that port."""
        return ("127.0.0.1", self.web) if port == self.room.web else (self.address, port)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def again(self):
        self.start()


class Proxy:
    """Takes connections of agents and browsers to an instance that serves; ends those to one that does not any more."""

    def __init__(self, room):
        self.room, self.stop, self.lock = room, threading.Event(), threading.Lock()
        self.up, self.pairs, self.threads = set(), [], []
        self.listeners = [socket.create_server(("127.0.0.1", port), backlog=256) for port in (room.agents, room.web)]

    def run(self, what, *arguments):
        thread = threading.Thread(target=what, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def __enter__(self):
        for one in self.room.instances:
            self.run(self.watch, one)
        for listener in self.listeners:
            self.run(self.accept, listener)
        return self

    def watch(self, one):
        while not self.stop.wait(CHECK_EVERY):
            serves = one.serves(CHECK_FOR)
            with self.lock:
                was = one in self.up
                (self.up.add if serves else self.up.discard)(one)
                gone = [pair for pair in self.pairs if pair[2] is one] if was and not serves else []
            for client, server, _ in gone:
                self.cut(client, server)

    def accept(self, listener):
        while not self.stop.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.run(self.carry, client, listener.getsockname()[1])

    def carry(self, client, port):
        with self.lock:
            to = next(iter(self.up), None)
        self.carry_to(client, port, to)

    def carry_to(self, client, port, to):
        try:
            server = socket.create_connection(to.front(port), timeout=CHECK_FOR) if to else None
        except OSError:
            server = None
        if not server:
            client.close()
            return
        server.settimeout(None)
        pair = (client, server, to)
        with self.lock:
            self.pairs.append(pair)
        back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
        back.start()
        self.pump(client, server)
        back.join()
        with self.lock:
            self.pairs.remove(pair)
        client.close()
        server.close()

    @staticmethod
    def cut(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        self.cut(source, sink)

    def __exit__(self, *_):
        self.stop.set()
        for listener in self.listeners:
            self.cut(listener)
            listener.close()
        with self.lock:
            pairs = list(self.pairs)
        for client, server, _ in pairs:
            self.cut(client, server)
        for thread in self.threads:
            thread.join(PATIENCE)


class Balancer(Proxy):
    """A balancer that knows nothing of who serves, and looks at nothing: it goes to each instance in turn, and to the next one where
    nobody listens."""

    def __init__(self, room):
        super().__init__(room)
        self.up, self.turn = set(room.instances), 0

    def watch(self, one):
        pass

    def carry(self, client, port):
        self.turn += 1
        for n in range(len(self.room.instances)):
            to = self.room.instances[(self.turn + n) % len(self.room.instances)]
            try:
                socket.create_connection(to.front(port), timeout=CHECK_FOR).close()
            except OSError:
                continue
            return self.carry_to(client, port, to)
        return client.close()


class Room:
    """A server and instances a, b, …, the first of which serves; in a `with`. `passes`: the others pass callers on to it."""

    def __init__(self, count=2, passes=False, **settings):
        self.count, self.passes, self.settings = count, passes, settings
        self.agents, self.web, self.inner = free_port(), free_port(), free_port()

    @property
    def port(self):
        """Where agents are told to go."""
        return self.agents

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.tls = authority(self.stack.enter_context(Folder()))
            self.server = Postgres()
            self.stack.callback(self.server.close)
            self.instances = [Instance(self.stack.enter_context(Folder()), self, "abc"[n], f"127.0.0.{n + 2}", **self.settings)
                              for n in range(self.count)]
            first = self.instances[0]
            self.stack.enter_context(first)
            until(first.serves, "the first one to serve", TAKES)
            for one in self.instances[1:]:
                os.makedirs(one.folder("state"), 0o700)
                for name in ("witness.pem", "secrets.key"):
                    shutil.copy(first.folder("state", name), one.folder("state", name))
                self.stack.enter_context(one)
                until(lambda one=one: one.stands_by() or one.serves(), "it to stand by")
            self.proxy = self.stack.enter_context((Balancer if self.passes else Proxy)(self))
            until(lambda: self.proxy.up, "the proxy to know the one that serves", TAKES)
            return self
        except BaseException:
            self.stack.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *why):
        return self.stack.__exit__(*why)

    def ask(self, path, *options, port=None):
        """(status, head, body) of the page, which TLS has for HTTP/2 alone; None: no answer, or half of one."""
        done = subprocess.run(self.curl(path, *options, port=port), capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return (int(head.split()[1]), head.decode().lower(), body) if done.returncode == 0 else None

    def curl(self, path, *options, port=None):
        """To the proxy, or past it to an instance's port."""
        past = ("--connect-to", f"localhost:{self.web}:127.0.0.1:{port}") if port else ()
        return ["curl", "-sS", "-i", "--max-time", str(TAKES), "--cacert", self.tls("ca.pem"), *past, *options,
                f"https://localhost:{self.web}{path}"]

    def serving(self):
        """The one that serves; None: none does now."""
        found = [one for one in self.instances if one.serves(CHECK_FOR)]
        if len(found) > 1:  # they are asked one after the other: the first may have ended, and the second taken its place
            found = [one for one in found if one.serves(CHECK_FOR)]
        assert len(found) < 2, [one.name for one in found]
        return found[0] if found else None

    def until_serving(self, but=None):
        found = until(lambda: next((one for one in [self.serving()] if one and one is not but), None),
                      "an instance that serves", TAKES)
        found.dial()
        return found

    # What the database has, for those who remember what was acknowledged.

    def rows(self, query):
        return [row for row in self.server.sql(query).split("\n") if row]

    def entries(self, computation):
        """Of its journal, in order: "number hex"."""
        return self.rows("SELECT sequence || ' ' || encode(bytes, 'hex') FROM cocos_computations.entries"
                         f" WHERE computation = '{computation}' ORDER BY run, sequence")

    def records(self, computation):
        """"number text", in order."""
        return self.rows("SELECT r.number || ' ' || r.text FROM cocos_computations.records r JOIN cocos_computations.journals j"
                         f" ON j.number = r.journal WHERE j.owner = 'c:{computation}' ORDER BY r.number")

    def computations(self, names):
        """[name, id] of those that are called LIKE that."""
        return [row.split(" ") for row in self.rows("SELECT name || ' ' || id FROM cocos_computations.computations"
                                                    f" WHERE name LIKE '{names}'")]

    def named(self, name):
        return [known for _, known in self.computations(name)]

    def fence(self):
        return int(self.server.sql("SELECT fence FROM cocos_computations.lease"))

    # What happens to the one that serves. The other one takes its place.

    def kill(self):
        one = self.until_serving()
        one.process.kill()
        self.until_serving(one)
        one.again()

    def pause(self):
        one = self.until_serving()
        one.signal(signal.SIGSTOP)
        try:
            until(lambda: next((o for o in self.instances if o is not one and o.serves(CHECK_FOR)), None),
                  "another one to serve", TAKES)
        finally:
            one.signal(signal.SIGCONT)
        until(one.stands_by, "the one that was paused to stand by", TAKES)

    def end(self):
        one = self.until_serving()
        assert one.process.stop() == 0, one.process.text()
        self.until_serving(one)
        one.again()

    # And to the others.

    def restart_database(self):
        self.until_serving()
        self.server.stop(signal.SIGQUIT)
        self.server.start()
        self.until_serving()

    def kill_standby(self):
        serving = self.until_serving()
        one = next(o for o in self.instances if o is not serving)
        one.process.kill()
        one.again()
