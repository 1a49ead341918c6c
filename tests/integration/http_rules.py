#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""common/http: the same routes over HTTP/2 with TLS and HTTP/1.1 in plaintext, by curl; and by peers that
break the rules of either."""
import json
import os
import select
import socket
import ssl
import subprocess
import time

import certs
import h2raw as h2
import tap
from harness import BUILD, PATIENCE, Folder

SERVER = os.path.join(BUILD, "tests", "integration", "http_server")
PAGE = b"<!doctype html><title>here</title><p>A page.\n"
LOCAL = b"Host: localhost\r\n"
INTERNAL_ERROR, ENHANCE_YOUR_CALM = 2, 11  # RFC 9113, 7


class Server:
    """http_server with these arguments, until the end of the `with`; then it ends by itself, with 0."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen([SERVER, *self.arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.port = int(line)
        return self

    def __exit__(self, kind, *_):
        out, self.log = self.process.communicate(timeout=PATIENCE)
        assert kind or self.process.returncode == 0, (self.process.returncode, self.log, out)


class Answer:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.version, self.status = lines[0].split(" ")[0], int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in self.fields, "a field is there twice: " + name
            self.fields[name.lower()] = value
        self.body = body

    def problem(self):
        assert self.fields["content-type"] == "application/problem+json"
        parsed = json.loads(self.body)
        assert parsed["status"] == self.status and parsed["type"] == "about:blank" and parsed["title"]
        return parsed


def curl(target, *options):
    done = subprocess.run(["curl", "-sik", "--path-as-is", "--max-time", str(PATIENCE), *options, target],
                          stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0, (target, done.returncode)
    head, body = done.stdout.split(b"\r\n\r\n", 1)
    while head.split(b" ", 2)[1] == b"100":
        head, body = body.split(b"\r\n\r\n", 1)
    return Answer(head, body)


class Both:
    """A server of each kind: ask(path, *curl's options) gives both answers."""

    def __enter__(self):
        self.folder = Folder()
        self.certs = certs.Certs(self.folder.__enter__().path)
        self.tls = Server(self.certs.cert, self.certs.key, "127.0.0.1:0").__enter__()
        self.plain = Server("127.0.0.1:0").__enter__()
        return self

    def ask(self, target, *options):
        return (curl(f"https://127.0.0.1:{self.tls.port}{target}", *options),
                curl(f"http://127.0.0.1:{self.plain.port}{target}", *options))

    def __exit__(self, kind, *rest):
        self.tls.__exit__(kind, *rest)
        self.plain.__exit__(kind, *rest)
        self.folder.__exit__(kind, *rest)


def pages_are_served_alike():
    with Both() as both:
        for answer, version in zip(both.ask("/"), ("HTTP/2", "HTTP/1.1")):
            assert answer.version == version and answer.status == 200 and answer.body == PAGE
            assert answer.fields["content-type"] == "text/html; charset=utf-8"
            assert answer.fields["content-length"] == str(len(PAGE))
            etag = answer.fields["etag"]
        for answer in both.ask("/", "-I"):
            assert answer.status == 200 and answer.body == b""
            assert answer.fields["content-length"] == str(len(PAGE)) and answer.fields["etag"] == etag
        for known in (etag, "*", f'"x", W/{etag}'):
            for answer in both.ask("/", "-H", "If-None-Match: " + known):
                assert answer.status == 304 and answer.body == b"" and answer.fields["etag"] == etag
        for other in ('"x"', "nonsense"):
            for answer in both.ask("/", "-H", "If-None-Match: " + other):
                assert answer.status == 200 and answer.body == PAGE
        for answer in both.ask("/items/a%20b?say=1%2B1+2"):
            assert answer.body == b"a b|1+1 2"
        for answer in both.ask("/later"):
            assert answer.body == b"later"
        for answer in both.ask("/big"):
            assert answer.body == bytes(8 << 20)
        for answer in both.ask("/who"):
            assert answer.body in (b"tls - -1", b"plain - -1")


def every_answer_is_locked_down():
    with Both() as both:
        for target in ("/", "/nowhere", "/broken", "/items/.."):
            tls, plain = both.ask(target)
            for answer in (tls, plain):
                assert answer.fields["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
                assert answer.fields["x-content-type-options"] == "nosniff"
                assert answer.fields["referrer-policy"] == "no-referrer"
                assert answer.fields["cache-control"] in ("no-store", "no-cache")
                assert "date" in answer.fields and "server" not in answer.fields
            assert tls.fields["strict-transport-security"] == "max-age=31536000"
            assert "strict-transport-security" not in plain.fields


def refusals_say_what_and_what_to_do():
    with Both() as both:
        for target, options, status, field, words in [
                ("/nowhere", [], 404, "target", "nothing is here"),
                ("/items/a?x=1", [], 400, "'x'", "not known"),
                ("/items/a?say=1&say=2", [], 400, "target", "twice"),
                ("/items/../a", [], 400, "target", "dot segment"),
                ("/items/%2e%2E", [], 400, "target", "dot segment"),
                ("/items//a", [], 400, "target", "empty segment"),
                ("/items/a/", [], 400, "target", "empty segment"),
                ("/items/a%2fb", [], 400, "target", "slash"),
                ("/items/a%5cb", [], 400, "target", "slash"),
                ("/items/a%00b", [], 400, "target", "control"),
                ("/items/%ff", [], 400, "target", "UTF-8"),
                ("/items/%zz", [], 400, "target", "hexadecimal"),
                ("/" + "a" * 300, [], 414, "target", "segment"),
                ("/?x=" + "a" * 5000, [], 414, "target", "long"),
                ("/", ["-X", "DELETE"], 405, "method", "not with this method"),
                ("/", ["-X", "TRACE"], 405, "method", "not with this method"),
                ("/", ["-X", "BREW"], 501, "method", "no such method"),
                ("/", ["-X", "get"], 501, "method", "no such method"),
                ("/denied", [], 403, None, "for nobody"),
                ("/certificate", [], 401, None, "certificate"),
                ("/echo", ["-d", "x"], 415, "header content-type", "type"),
                ("/echo", ["-H", "content-type: text/plain", "-d", "x" * 1001], 413, "body", "too large"),
                ("/who", ["-X", "GET", "-d", "x"], 413, "body", "too large")]:
            for answer in both.ask(target, *options):
                problem = answer.problem()
                assert answer.status == status, (target, options, answer.status)
                assert problem.get("field") == field and words in problem["detail"], problem
                if status == 405:
                    assert answer.fields["allow"] == "GET, HEAD, POST, OPTIONS" == problem["remedy"]
        for answer in both.ask("/items/x", "-X", "OPTIONS"):
            assert answer.status == 204 and answer.fields["allow"] == "GET, HEAD, PUT, OPTIONS"
        for answer in both.ask("/broken"):
            assert answer.status == 500 and b"secret" not in answer.body
    assert b"secret" in both.tls.log and b"secret" in both.plain.log


def bodies_have_a_limit_each():
    with Both() as both:
        for size, status in ((0, 200), (1, 200), (1000, 200), (1001, 413)):
            for answer in both.ask("/echo", "-H", "content-type: text/plain; charset=utf-8", "-d", "x" * size):
                assert answer.status == status, (size, answer.status)
                assert status != 200 or answer.body == b"x" * size
    # Without a length said before, it is counted as it comes; HTTP/1.1 has to say it.
    with Both() as both:
        piped = ["-H", "content-type: text/plain", "-T", "-", "-X", "POST"]
        for size, status in ((1000, 200), (1001, 413)):
            done = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", *piped,
                                   f"https://127.0.0.1:{both.tls.port}/echo"], input=b"x" * size,
                                  stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
            assert done.stdout == str(status).encode(), (size, done.stdout)


def who_calls_is_known():
    with Folder() as folder:
        made = certs.Certs(folder.path)
        with Server(made.cert, made.key, made.ca, "127.0.0.1:0") as server:
            known = ["--cert", made.client_cert, "--key", made.client_key]
            assert curl(f"https://127.0.0.1:{server.port}/who", *known).body == b"tls CN=client -1"
            assert curl(f"https://127.0.0.1:{server.port}/certificate", *known).body == PAGE
            done = subprocess.run(["curl", "-sk", f"https://127.0.0.1:{server.port}/"], check=False,
                                  stdout=subprocess.PIPE)
            assert done.returncode != 0 and done.stdout == b""
        with Server("unix:" + folder("web.sock")) as server:
            answer = curl("http://x.example/who", "--unix-socket", folder("web.sock"))
            assert answer.body == b"plain - %d" % os.getuid()
            assert os.stat(folder("web.sock")).st_mode & 0o777 == 0o600
        assert not os.path.exists(folder("web.sock"))


def plaintext_is_for_this_machine():
    for address in ("0.0.0.0:0", ":0", "[::]:0"):
        done = subprocess.run([SERVER, address], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE, check=False)
        assert done.returncode == 1 and b"needs TLS" in done.stderr, done
    with Server("127.0.0.1:0") as server:
        for host in ("localhost", "127.0.0.1", "localhost:80", "[::1]", "[::1]:80", "127.9.9.9:1", "a.localhost:80"):
            assert curl(f"http://127.0.0.1:{server.port}/", "-H", "Host: " + host).status == 200, host
        for host in ("evil.example", "localhost.evil.example", "xlocalhost", ".localhost.evil.example", "192.0.2.1", "[::2]", "x" * 300, "[", "a@localhost"):
            answer = curl(f"http://127.0.0.1:{server.port}/", "-H", "Host: " + host)
            assert answer.status in (421, 431), (host, answer.status)
            assert answer.problem()


def say(port, request):
    """What comes until the server hangs up, which it must."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        try:
            s.sendall(request)
        except OSError:
            pass  # it has hung up in the middle: what it said is there
        came = b""
        try:
            while piece := s.recv(65536):
                came += piece
        except ConnectionResetError:
            pass
        return came


def a_request_within_a_request_is_never_served():
    """Each of these has a second request where two readers could disagree: it must not be answered."""
    post = b"POST /echo HTTP/1.1\r\n" + LOCAL + b"Content-Type: text/plain\r\n"
    inner = b"GET /who HTTP/1.1\r\n" + LOCAL + b"Connection: close\r\n\r\n"
    with Server("127.0.0.1:0") as server:
        # The honest twin: two requests, one behind the other, are answered in order.
        came = say(server.port, b"GET / HTTP/1.1\r\n" + LOCAL + b"\r\n" + inner)
        assert came.count(b"HTTP/1.1 200") == 2 and came.endswith(b"plain - -1")
        came = say(server.port, post + b"Content-Length: 5\r\n\r\nhello" + inner)
        assert came.count(b"HTTP/1.1 200") == 2 and b"\r\n\r\nhello" in came and came.endswith(b"plain - -1")
        for name, request in {
                "length and chunked": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "chunked and length": post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                "chunked": post + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "chunked, misspelt": post + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
                "chunked behind a tab": post + b"Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n\r\n",
                "chunked twice": post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                "two lengths": post + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
                "two equal lengths": post + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
                "a list of lengths": post + b"Content-Length: 0, 0\r\n\r\n",
                "a length with a sign": post + b"Content-Length: +0\r\n\r\n",
                "a hexadecimal length": post + b"Content-Length: 0x0\r\n\r\n",
                "a length below zero": post + b"Content-Length: -1\r\n\r\n",
                "a length without end": post + b"Content-Length: 99999999999999999999999\r\n\r\n",
                "a space before the colon": post + b"Content-Length : 0\r\n\r\n",
                "a tab in a name": post + b"Content\tLength: 0\r\n\r\n",
                "a body where none is taken": b"GET / HTTP/1.1\r\n" + LOCAL + b"Content-Length: 3\r\n\r\nabc",
                "two hosts": b"GET / HTTP/1.1\r\n" + LOCAL + b"Host: evil.example\r\n\r\n",
                "no host": b"GET / HTTP/1.1\r\n\r\n",
                "a proxy's target": b"GET http://evil.example/ HTTP/1.1\r\n" + LOCAL + b"\r\n",
                "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + LOCAL + b"\r\n",
                "another version": b"GET / HTTP/9.9\r\n" + LOCAL + b"\r\n",
                "no version": b"GET /\r\n\r\n",
                "too many fields": b"GET / HTTP/1.1\r\n" + LOCAL + b"X: a\r\n" * 200 + b"\r\n",
                "a huge field": b"GET / HTTP/1.1\r\n" + LOCAL + b"X: " + b"a" * 100000 + b"\r\n\r\n",
                "a huge target": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + LOCAL + b"\r\n",
        }.items():
            came = say(server.port, request + inner)
            assert b"plain - -1" not in came and b"HTTP/1.1 200" not in came, (name, came)
            assert not came or came[9:12] in (b"400", b"413", b"414", b"421", b"431", b"501", b"505"), (name, came)
        assert curl(f"http://127.0.0.1:{server.port}/").body == PAGE


def who_waits_for_the_server_is_not_slow():
    """Its request is whole: however long a busy server takes for it, it has its answer."""
    with Server("127.0.0.1:0") as server:
        assert curl(f"http://127.0.0.1:{server.port}/long").body == b"later"


def who_is_slow_is_cut_off():
    """Half a request each, at one time: the server hangs up on all, and serves others meanwhile. How long it
    waits is its own affair; that it ends is the test. One gives a byte now and then, and is never idle."""
    post = b"POST /echo HTTP/1.1\r\n" + LOCAL + b"Content-Type: text/plain\r\nContent-Length: 1000\r\n"
    with Server("127.0.0.1:0") as server:
        slow = []
        for part in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: ", post, post + b"\r\nab", post + b"\r\n"):
            s = socket.create_connection(("127.0.0.1", server.port))
            s.sendall(part)
            slow.append(s)
        drip, until = slow[-1], time.monotonic() + PATIENCE
        while slow and time.monotonic() < until:
            assert curl(f"http://127.0.0.1:{server.port}/").body == PAGE
            for s in select.select(slow, [], [], 0.5)[0]:
                try:
                    over = not s.recv(65536)
                except OSError:
                    over = True
                if over:
                    slow.remove(s)
            try:
                drip.send(b"c")
            except OSError:
                pass  # it was cut off
        assert not slow, "somebody is waited for without end"


def a_flood_of_connections_keeps_nobody_out_for_good():
    with Server("127.0.0.1:0") as server:
        crowd = []
        for _ in range(200):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", server.port))
            crowd.append(s)
        for s in crowd:
            s.close()
        assert curl(f"http://127.0.0.1:{server.port}/").body == PAGE


def crowd_of(port, count, request=b""):
    crowd = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        s.sendall(request)
        crowd.append(s)
    return crowd


def over(crowd):
    """Those of them that the server hung up on."""
    ended = []
    for s in crowd:
        s.setblocking(False)
        try:
            if not s.recv(1):
                ended.append(s)
        except BlockingIOError:
            pass
        except OSError:
            ended.append(s)
    return ended


def who_only_waits_gives_way():
    """More connections than there are places, all of which stay: whoever comes is served, in the place of the
    one that waited longest. That those who came late are still there shows that nobody waited for the idle end."""
    for request in (b"", b"GET / HTTP/1.1\r\nHost:"):
        while True:
            began = time.monotonic()
            with Server("127.0.0.1:0") as server:
                crowd = crowd_of(server.port, 150, request)
                assert curl(f"http://127.0.0.1:{server.port}/").body == PAGE
                late = over(crowd[-30:])
                for s in crowd:
                    s.close()
            if not late:
                break
            assert time.monotonic() - began > 8, "late ones were cut off before their time"


def who_takes_no_answer_gives_way():
    """As many as have a place ask for much and read nothing, or wait for what never comes."""
    for path in (b"/big", b"/never"):
        with Server("127.0.0.1:0") as server:
            crowd = crowd_of(server.port, 150, b"GET " + path + b" HTTP/1.1\r\n" + LOCAL + b"\r\n")
            assert curl(f"http://127.0.0.1:{server.port}/").body == PAGE
            for s in crowd:
                s.close()


def events_of(body):
    """[(number, name, data)], and how many comments."""
    events, comments = [], 0
    for part in body.split("\n\n")[:-1]:
        fields = [line.split(": ", 1) for line in part.split("\n") if not line.startswith(":")]
        comments += part.startswith(":")
        kinds = {name: text for name, text in fields if name != "data"}
        data = [text for name, text in fields if name == "data"]
        if data:
            events.append((int(kinds.get("id", 0)), kinds.get("event"), "\n".join(data)))
    return events, comments


def events_follow_one_another():
    with Both() as both:
        for answer in both.ask("/events?until=3&end=1&size=2"):
            assert answer.fields["content-type"] == "text/event-stream" and "content-length" not in answer.fields
            assert answer.fields["cache-control"] == "no-store"
            assert answer.fields["cross-origin-opener-policy"] == "same-origin"
            assert answer.body.startswith(b"retry: 2000\n\n")
            events, _ = events_of(answer.body.decode())
            assert events == [(n, "count", f"{n}\nline xx") for n in (1, 2, 3)], answer.body
        for options, wanted in ((["-H", "Last-Event-ID: 2"], [3]), (["-H", "Last-Event-ID: 3"], []),
                                (["-H", "Last-Event-ID: 0"], [1, 2, 3])):
            for answer in both.ask("/events?until=3&end=1&after=1", *options):
                assert [event[0] for event in events_of(answer.body.decode())[0]] == wanted
        for answer in both.ask("/events?until=3&end=1&after=1"):
            assert [event[0] for event in events_of(answer.body.decode())[0]] == [2, 3]
        for bad in ("x", "-1", "1 2", "9223372036854775808"):
            for answer in both.ask("/events?until=3", "-H", "Last-Event-ID: " + bad):
                assert answer.status == 400 and "last-event-id" in answer.problem()["detail"]
        for answer in both.ask("/events?until=3", "-I"):
            assert answer.status == 200 and answer.body == b"" and "content-length" not in answer.fields, answer.fields
        # More than is ever queued, to a reader that takes it: all of it, in order.
        for answer in both.ask("/events?until=400&end=1&size=20000"):
            assert [event[0] for event in events_of(answer.body.decode())[0]] == list(range(1, 401))


def follow(both, path):
    """A curl for each of the two servers, that reads until it is ended."""
    return [subprocess.Popen(["curl", "-skN", "--max-time", str(PATIENCE), *more, f"{scheme}://127.0.0.1:{port}{path}"],
                             stdout=subprocess.PIPE)
            for scheme, port, more in (("https", both.tls.port, []), ("http", both.plain.port, []))]


def wait_for(both, counts):
    until = time.monotonic() + PATIENCE
    while (came := [int(answer.body) for answer in both.ask("/followers")]) != list(counts):
        assert time.monotonic() < until, (came, counts)
        time.sleep(0.05)


def silence_is_broken_by_beats():
    with Both() as both:
        for process in follow(both, "/events?until=1"):
            came = b""
            while came.count(b":\n\n") < 3:
                piece = os.read(process.stdout.fileno(), 1000)
                assert piece, came
                came += piece
            process.kill()
            process.wait()
            process.stdout.close()
        wait_for(both, (0, 0))  # who has left is known to have left


def places_to_follow_are_shared_out():
    with Both() as both:
        first = follow(both, "/events?until=0")
        wait_for(both, (1, 1))
        others = []
        for number in range(2, 5):
            others += follow(both, "/events?until=0")
            wait_for(both, (number, number))
        others += follow(both, "/events?until=0")
        for process in first:  # gives way to the newest, and sees that it was cut off
            process.communicate(timeout=PATIENCE)
            assert process.returncode != 0
        wait_for(both, (4, 4))
        for process in others:
            assert process.poll() is None
            process.kill()
            process.communicate()
        wait_for(both, (0, 0))


def a_slow_reader_is_cut_off():
    """One that takes nothing, while there is no end of events: its place is free again."""
    with Both() as both:
        s = socket.create_connection(("127.0.0.1", both.plain.port), timeout=PATIENCE)
        s.sendall(b"GET /events?until=1000000&size=1000 HTTP/1.1\r\n" + LOCAL + b"\r\n")
        peer = H2(both.tls.port)
        peer.get("/events?until=1000000&size=1000", 1)
        # Both have a place once they are answered: how long they keep it is not looked at.
        head = b""
        while b"\r\n\r\n" not in head:
            piece = s.recv(100)
            assert piece, head
            head += piece
        assert b"text/event-stream" in head, head
        assert any(kind == h2.HEADERS for kind, *_ in peer.frames()), "no answer"
        wait_for(both, (0, 0))
        s.close()
        peer.socket.close()


def a_server_ends_while_others_follow():
    with Both() as both:
        readers = follow(both, "/events?until=1")
        wait_for(both, (1, 1))
    for process in readers:
        out, _ = process.communicate(timeout=PATIENCE)
        assert b"id: 1\n" in out and process.returncode != 0


class H2:
    """A connection by hand to the server with TLS."""

    def __init__(self, port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        # TLS apart from the socket: what was said before a reset is read although no more can be sent.
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out)
        self.decoder, self.came = h2.Decoder(), b""
        while not self.shakes_hands():
            self.pull()
        assert self.tls.selected_alpn_protocol() == "h2"
        self.send(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))

    def shakes_hands(self):
        try:
            self.tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        self.socket.sendall(self.out.read())
        return done

    def pull(self):
        piece = self.socket.recv(65536)
        if piece:
            self.into.write(piece)
        else:
            self.into.write_eof()

    def read(self):
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.pull()

    def send(self, data):
        self.tls.write(data)
        try:
            self.socket.sendall(self.out.read())
        except OSError:
            pass

    def frames(self):
        """Until the server hangs up."""
        while True:
            while len(self.came) >= 9:
                size = int.from_bytes(self.came[:3], "big")
                if len(self.came) < 9 + size:
                    break
                kind, flags, stream = self.came[3], self.came[4], int.from_bytes(self.came[5:9], "big")
                payload, self.came = self.came[9:9 + size], self.came[9 + size:]
                yield kind, flags, stream, payload
            try:
                piece = self.read()
            except (ConnectionResetError, ssl.SSLError):
                return
            if not piece:
                return
            self.came += piece

    def answer(self, stream):
        """Status and body of this stream; None if it was reset, or the connection ended."""
        status, body = None, b""
        for kind, flags, number, payload in self.frames():
            if kind == h2.HEADERS:
                headers = dict(self.decoder.decode(payload))
                status = headers[":status"] if number == stream else status
            elif kind == h2.DATA and number == stream:
                body += payload
            elif kind == h2.RST_STREAM and number == stream and status is None:
                return None
            elif kind == h2.GOAWAY:
                return None
            if number == stream and kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM:
                return status, body
        return None

    def goaway(self):
        """The code of the last GOAWAY before the server hangs up; None if there was none."""
        code = None
        for kind, _, _, payload in self.frames():
            if kind == h2.GOAWAY:
                code = int.from_bytes(payload[4:8], "big")
        return code

    def get(self, path, stream, *more, method="GET", end=True):
        headers = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "x"), *more]
        block = b"".join(h2.literal(name, value) for name, value in headers)
        self.send(h2.frame(h2.HEADERS, h2.END_HEADERS | (h2.END_STREAM if end else 0), stream, block))


def http2_rules_are_kept():
    with Folder() as folder:
        made = certs.Certs(folder.path)
        with Server(made.cert, made.key, "127.0.0.1:0") as server:
            honest = H2(server.port)
            honest.get("/", 1)
            assert honest.answer(1) == ("200", PAGE)
            plain = ("content-type", "text/plain")
            for name, more, body, wanted in [
                    ("as long as said", [plain, ("content-length", "5")], b"hello", ("200", b"hello")),
                    ("shorter than said", [plain, ("content-length", "6")], b"hello", None),
                    ("longer than said", [plain, ("content-length", "4")], b"hello", None),
                    ("two lengths", [plain, ("content-length", "5"), ("content-length", "5")], b"hello", None),
                    ("transfer-encoding", [plain, ("transfer-encoding", "chunked")], b"hello", None),
                    ("connection", [plain, ("connection", "close")], b"hello", None),
                    ("a large letter", [plain, ("X", "y")], b"hello", None),
                    ("a line's end in a value", [plain, ("x", "a\r\nb")], b"hello", None),
                    ("two types", [plain, plain], b"hello", "400"),
                    ("a byte that is no text", [plain, ("x", b"\xff")], b"hello", "400")]:
                peer = H2(server.port)
                peer.get("/echo", 1, *more, method="POST", end=False)
                peer.send(h2.frame(h2.DATA, h2.END_STREAM, 1, body))
                came = peer.answer(1)
                assert came == wanted or (came and came[0] == wanted), (name, came)
            for path, wanted in (("/items/..", "400"), ("/a//b", "400"), ("x", None), ("", None), ("*", None)):
                peer = H2(server.port)
                peer.get(path, 1)
                came = peer.answer(1)
                assert (came and came[0]) == wanted, (path, came)
            # Headers past the limit, and far past it.
            for size, wanted in ((30, "431"), (600, None)):
                peer = H2(server.port)
                fields = [(f"x-{n}", "a" * 1000) for n in range(size)]
                block = b"".join(h2.literal(n, v) for n, v in [(":method", "GET"), (":scheme", "https"),
                                                               (":path", "/"), (":authority", "x"), *fields])
                pieces = [block[at:at + 16000] for at in range(0, len(block), 16000)]
                for number, piece in enumerate(pieces):
                    kind = h2.CONTINUATION if number else h2.HEADERS
                    flags = (h2.END_HEADERS if number == len(pieces) - 1 else 0) | \
                        (0 if number else h2.END_STREAM)
                    peer.send(h2.frame(kind, flags, 1, piece))
                came = peer.answer(1)
                assert (came and came[0]) == wanted, (size, came)
            # Floods end their own connection, and not by being idle: resets, PINGs, SETTINGS, empty DATA.
            # Whose answers nobody reads leaves no room for a word; an idle end has one, NO_ERROR.
            for flood, codes in ((h2.frame(h2.PING, 0, 0, bytes(8)), (None, ENHANCE_YOUR_CALM)),
                                 (h2.frame(h2.SETTINGS, 0, 0), (None, ENHANCE_YOUR_CALM)),
                                 (h2.frame(h2.PRIORITY, 0, 3, bytes(4) + b"\1"), (ENHANCE_YOUR_CALM,))):
                peer = H2(server.port)
                peer.send(flood * 20000)
                code = peer.goaway()
                assert code in codes, (flood, code)
            peer = H2(server.port)
            for stream in range(1, 4001, 2):
                peer.get("/never", stream)
                peer.send(h2.frame(h2.RST_STREAM, 0, stream, bytes(3) + b"\x08"))
            assert peer.goaway() in (INTERNAL_ERROR, ENHANCE_YOUR_CALM)  # nghttp2's own word, or ours
            peer = H2(server.port)
            peer.get("/echo", 1, plain, method="POST", end=False)
            peer.send(h2.frame(h2.DATA, 0, 1) * 20000)
            assert peer.goaway() == ENHANCE_YOUR_CALM
            # gRPC's content gets gRPC's answer.
            peer = H2(server.port)
            peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, h2.request_block("/a.B/C")))
            assert peer.answer(1) == ("200", b"")
            honest.get("/", 3)
            assert honest.answer(3) == ("200", PAGE)


def only_http2_over_tls():
    with Folder() as folder:
        made = certs.Certs(folder.path)
        with Server(made.cert, made.key, "127.0.0.1:0") as server:
            for options in (["--http1.1"], ["--no-alpn"]):
                done = subprocess.run(["curl", "-sk", *options, f"https://127.0.0.1:{server.port}/"],
                                      stdout=subprocess.PIPE, check=False)
                assert done.returncode != 0 and done.stdout == b"", options


if __name__ == "__main__":
    tap.run([pages_are_served_alike, every_answer_is_locked_down, refusals_say_what_and_what_to_do,
             bodies_have_a_limit_each, who_calls_is_known, plaintext_is_for_this_machine,
             a_request_within_a_request_is_never_served, who_is_slow_is_cut_off,
             who_waits_for_the_server_is_not_slow,
             a_flood_of_connections_keeps_nobody_out_for_good, who_only_waits_gives_way,
             who_takes_no_answer_gives_way, events_follow_one_another, silence_is_broken_by_beats,
             places_to_follow_are_shared_out, a_slow_reader_is_cut_off, a_server_ends_while_others_follow,
             http2_rules_are_kept, only_http2_over_tls])
