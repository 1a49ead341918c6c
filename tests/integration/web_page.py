#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service's page and its API: what they show, to whom, and what others' texts can do in it."""
import contextlib
import hashlib
import html
import html.parser
import http.client
import json
import os
import re
import shlex
import socket
import subprocess
import zlib

import grpc
import tap
from computations_service import KEY, agent_of, connected, create, run
from harness import (PATIENCE, Computations, Folder, authority, cli, computations, cvms, people, people_grpc, program, spki, until)
from hook_receiver import Hooks
from people import Caller
from ports import free_port
from user_keys import Holder, of
from workflow_parties import Running, one_workflow

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;`${7*7}\u202e\u200b{{1}}"
SECRET = "-----BEGIN PRIVATE KEY-----"

VOID = {"meta", "link", "input", "br", "img", "hr"}
FOREIGN = {"svg", "use"}
TAGS = VOID | FOREIGN | set("""html head body title script a div header nav ul ol li main h1 h2 h3 p span b strong
    section footer form label select option button table caption thead tbody tr th td time bdi code pre figure figcaption dl dt
    dd output fieldset legend textarea datalist noscript progress""".split())
SCRIPTS = [{"type": "module", "src": "/page.js", "blocking": "render"}, {"type": "module", "src": "/passkey.js"}]


class Strict(html.parser.HTMLParser):
    """Well-formed to the last tag; no inline script, style or handler; ids once, references to what is there; each
    control has a label, each button a name, headings in order, landmarks once."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.refs, self.labels, self.controls, self.headings = [], [], [], set(), [], []
        self.text, self.links, self.counts = [], [], {}
        assert text.startswith("<!doctype html>\n"), text[:40]
        self.feed(text)
        self.close()
        assert not self.open, self.open
        assert len(self.ids) == len(set(self.ids)), self.ids
        assert set(self.refs) <= set(self.ids), set(self.refs) - set(self.ids)
        assert set(self.controls) <= self.labels, self.controls
        assert self.headings[:1] == [1] and self.headings.count(1) == 1, self.headings
        assert all(b <= a + 1 for a, b in zip(self.headings, self.headings[1:])), self.headings
        for one in ("main", "title", "h1", "html"):
            assert self.counts.get(one) == 1, (one, self.counts)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        have = dict(attributes)
        assert tag in TAGS, tag
        assert len(names) == len(set(names)), (tag, names)
        assert not [n for n in names if n.startswith("on") or n in ("style", "srcdoc")], (tag, names)
        assert tag != "script" or have in SCRIPTS, have
        for name in ("href", "src", "action", "data-from"):
            assert name not in have or re.match(r"^[/#](?!/)", have[name]), have[name]
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if "id" in have:
            self.ids.append(have["id"])
        for name in ("aria-labelledby", "aria-describedby", "for", "data-copy", "data-with"):
            self.refs += have.get(name, "").split()
        if tag == "label":
            self.labels.add(have["for"])
        if tag in ("input", "select") and have.get("type") != "hidden":
            self.controls.append(have["id"])
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(have["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != "script":
            self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.fields = {name.lower(): value for name, value in response.getheaders()}
        for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
                            ("cross-origin-opener-policy", "same-origin"),
                            ("cross-origin-resource-policy", "same-origin")):
            assert self.fields[name] == value, name
        assert "frame-ancestors 'none'" in self.fields["content-security-policy"]
        assert "unsafe" not in self.fields["content-security-policy"]

    def page(self):
        assert self.fields["content-type"] == "text/html; charset=utf-8", self.fields
        return Strict(self.body.decode())

    def json(self):
        assert self.fields["content-type"] == "application/json", self.fields
        return json.loads(self.body)

    def problem(self):
        assert self.fields["content-type"] == "application/problem+json", self.fields
        parsed = json.loads(self.body)
        assert parsed["status"] == self.status
        return parsed


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Web:
    """A service with a page, and a browser that has come with a link."""

    def __init__(self, **settings):
        self.settings = {"WEB": "127.0.0.1:0", **settings}

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(Folder())
        self.service = self.stack.enter_context(Computations(self.folder, **self.settings))
        if "ADMIN_SERVER_CERT" in self.settings and not self.settings["WEB"].startswith("127."):
            self.port = int(self.service.process.wait_line(r"page: listening on .*, port (\d+), with (?:mutual )?TLS")[1])
            self.socket = None
        else:
            found = self.service.process.wait_line(r"page: port (\d+) of this machine; .*--unix-socket (\S+) ")
            self.port, self.socket = int(found[1]), found[2]
        self.host, self.cookie = None, None
        return self

    def __exit__(self, *about):
        return self.stack.__exit__(*about)

    def ask(self, path, method="GET", host=None, cookie=None, headers=(), unix=False):
        connection = UnixConnection(self.socket) if unix else \
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or self.host or "localhost")
        for name, value in headers:
            connection.putheader(name, value)
        if cookie or (cookie is None and self.cookie and not unix):
            connection.putheader("Cookie", cookie or self.cookie)
        connection.endheaders()
        try:
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def link(self):
        answer = self.ask("/link", "POST", host="localhost", unix=True)
        assert answer.status == 200, answer.body
        found = re.fullmatch(r"http://([0-9a-f]{32}\.localhost:%d)(/in/[0-9a-f]{64})\n" % self.port,
                             answer.body.decode())
        return found[1], found[2]

    def come_in(self):
        self.host, path = self.link()
        answer = self.ask(path, cookie=False)
        assert (answer.status, answer.fields["location"]) == (303, "/"), answer.body
        found = re.fullmatch(r"(cocos-session=[0-9a-f]{64}); Path=/; HttpOnly; SameSite=Strict",
                             answer.fields["set-cookie"])
        self.cookie = found[1]
        return self


BROWSER = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]


def nobody_sees_it_without_a_link():
    with Web() as web:
        service = web.service
        create(service, name="a secret name")
        paths = ["/", "/c/x", "/c/x/manifest.json", "/c/x/events.sse", "/api", "/api/openapi.json", "/api/computations",
                 "/api/computations/x", "/api/computations/x/manifest", "/api/computations/x/events"]
        for path in paths:
            assert "link" in web.ask(path).problem()["detail"] and web.ask(path).status == 401
        page = web.ask("/", headers=BROWSER)
        assert page.status == 401 and "admin.web.sock" in page.page().words() and b"secret name" not in page.body
        # With a link: all of it, and the same link is of no use again.
        web.host, link = web.link()
        stolen = web.ask(link, host="127.0.0.1:%d" % web.port, cookie=False)
        assert stolen.status == 401, "a link is for its own host name"
        web.come_in()
        for path in ("/", "/api", "/api/openapi.json", "/api/computations"):
            assert web.ask(path).status == 200, path
        again = web.link()
        assert web.ask(again[1], host=again[0], cookie=False).status == 303
        assert web.ask(again[1], host=again[0], cookie=False).status == 401


def a_cookie_is_of_use_at_its_own_name_alone():
    with Web() as web:
        web.come_in()
        other = Web.link(web)[0]
        good, host = web.cookie, web.host
        assert web.ask("/").status == 200
        for name in ("localhost", "127.0.0.1:%d" % web.port, "localhost:%d" % web.port, other, host.split(":")[0],
                     host.replace(str(web.port), "1"), "x." + host, "[::1]:%d" % web.port):
            assert web.ask("/", host=name).status in (401, 421), name
        for name in ("evil.example", "evil.example:%d" % web.port, host + ".evil.example", "localhost.evil.example"):
            assert web.ask("/", host=name).status in (401, 421), name
        secret = good.split("=")[1]
        for guess in ("cocos-session=" + "0" * 64, "cocos-session=", "cocos-session=" + secret[:-1], "x=" + secret,
                      "cocos-session=" + secret + "0", f"cocos-session={secret}; cocos-session={secret}",
                      "cocos-session=" + secret.upper() + "x", "cocos-session=" + "a" * 5000):
            assert web.ask("/", cookie=guess).status == 401, guess
        assert web.ask("/", cookie=f"a=b; {good}; c=d").status == 200


def other_sites_pages_get_nothing():
    with Web() as web:
        web.come_in()
        for site, mode, status in (("same-origin", "cors", 200), ("none", "navigate", 200),
                                   ("cross-site", "navigate", 200), ("cross-site", "no-cors", 403),
                                   ("same-site", "cors", 403), ("cross-site", "cors", 403)):
            answer = web.ask("/api/computations", headers=[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)])
            assert answer.status == status, (site, mode, answer.status)
        for origin, status in (("http://" + web.host, 200), ("https://" + web.host, 403), ("null", 403),
                               ("http://evil.example", 403), ("http://localhost:%d" % web.port, 403)):
            answer = web.ask("/api/computations", headers=[("Origin", origin)])
            assert answer.status == status and "access-control-allow-origin" not in answer.fields, origin


def links_are_given_at_the_socket_alone():
    with Web() as web:
        web.come_in()
        assert os.stat(web.socket).st_mode & 0o007 == 0
        assert web.ask("/link", "POST").status == 403
        assert web.ask("/link").status == 405
        first = web.link()
        for _ in range(16):  # the oldest gives way
            web.link()
        assert web.ask(first[1], host=first[0], cookie=False).status == 401
        for path in ("/in/" + "0" * 64, "/in/x", "/in/" + "f" * 200):
            assert web.ask(path, cookie=False).status == 401
        assert web.ask("/api/computations", unix=True).json() == {"computations": [], "next": None}


def texts_of_others_stay_texts():
    with Web() as web:
        web.come_in()
        service = web.service
        evil_id = "x\"'><script>&y"
        known = create(service, id=evil_id, name=EVIL, description=EVIL,
                       datasets=[cvms.Dataset(hash=b"d" * 32, userKey=KEY, filename="<b>\"'>x", decompress=True)])
        create(service, name="", id="a\\b")
        path = "/c/x%22%27%3E%3Cscript%3E%26y"
        with agent_of(service, "cvm-<i>\"'") as agent:
            until(connected(service, "cvm-<i>\"'"), "the connection")
            run(service, known)
            agent.manifest()
            agent.event(known, "<u>type" + EVIL, "<s>" + EVIL, EVIL.encode())
            agent.log(known, EVIL, "<level>")
            agent.event(known, "Failed", EVIL, EVIL.encode())
            until(lambda: b"&lt;level&gt;" in web.ask(path).body, "the records")
            agent.log("", EVIL, "<level>")
            until(lambda: b"&lt;level&gt;" in web.ask("/cvms/cvm-%3Ci%3E%22'").body, "the line")
            pages = [web.ask(path), web.ask("/"), web.ask(path + "/manifest"), web.ask(path + "/roles"), web.ask("/cvms"),
                     web.ask("/cvms/cvm-%3Ci%3E%22'"), web.ask("/audit"), web.ask("/?q=%3Cscript%3E%22%27"), web.ask("/?q=%3C%2Ftitle%3Enone")]
        for page in pages:
            assert page.status == 200
            text = page.body.decode()
            page.page()
            assert "<script>alert" not in text and "<img" not in text and "\u202e" not in text and "\u200b" not in text
        assert "\\u202e" in pages[0].body.decode() and path in pages[1].page().links
        shown = pages[0].page().words()
        assert "<script>alert(1)</script>" in shown and "<u>type" in shown and "cvm-<i>\"'" in shown
        assert b"/c/a" not in pages[1].body
        for missing in ("/c/%3Cscript%3E", "/c/nothing", "/api/computations/%3Cimg%3E", "/%3Cscript%3E"):
            answer = web.ask(missing, headers=BROWSER)
            assert answer.status == 404 and b"<script>" not in answer.body and b"<img" not in answer.body
            assert "All computations" in answer.page().words()
            assert web.ask(missing).problem()["status"] == 404


def lists_of_the_service_are_paged():
    with Web() as web:
        assert web.come_in().ask("/users").page().words().count("No user yet") == 1
        assert "create-vm" in web.ask("/cvms").page().words()
        stub = people_grpc.PeopleServiceStub(web.service.channel)
        names = [f"user-{n:02}" for n in range(60)]
        for name in names:
            stub.AddUser(people.AddUserRequest(name=name), timeout=PATIENCE)
        with contextlib.ExitStack() as stack:
            cvms_ = [f"cvm-{n:02}" for n in range(51)]
            for name in cvms_:
                stack.enter_context(agent_of(web.service, name))
                until(connected(web.service, name), "the connection")
            for path, key, wanted, refused in (("/users", "users", names, 404), ("/cvms", "cvms", cvms_, 400)):
                seen, after = [], ""
                while after is not None:
                    answer = web.ask(f"/api{path}" + (f"?after={after}" if after else "")).json()
                    seen += [row.get("name") or row["id"] for row in answer[key]]
                    after = answer["next"]
                assert seen == wanted, (path, seen)
                page = web.ask(path).page()
                newer = [link for link in page.links if "after=" in link]
                assert len(newer) == 1 and wanted[49] in page.words() and wanted[50] not in page.words()
                last = web.ask(newer[0]).page()
                assert wanted[50] in last.words() and wanted[49] not in last.words() and path in last.links
                assert web.ask(path + "?after=nobody").status == refused, path


def each_command_is_one():
    """What the page says to type is a command, with options that it has."""
    with Web() as web:
        web.come_in()
        texts = [web.ask(path).body.decode() for path in ("/", "/cvms", "/users", "/audit")]
        known = create(web.service)
        stub = people_grpc.PeopleServiceStub(web.service.channel)
        stub.AddUser(people.AddUserRequest(name="me"), timeout=PATIENCE)
        with agent_of(web.service):
            until(connected(web.service, "cvm-1"), "the connection")
            texts += [web.ask(path).body.decode() for path in (
                f"/c/{known}", f"/c/{known}/manifest", f"/c/{known}/roles", "/cvms", "/cvms/cvm-1", "/users")]
        commands = {html.unescape(found) for text in texts
                    for found in re.findall(r'aria-label="Command"><code>(.*?)</code>', text)}
        assert len(commands) > 9, commands
        for command in commands:
            words = [word for word in command.split(" > ")[0].split(" ") if not word.startswith("'")]
            assert words[0] == "cocos-cli", command
            count = next(n for n in (2, 1) if cli(*words[1:n + 1], "--help").status == 0)
            usage = cli(*words[1:count + 1], "--help").ok()
            assert all(word in usage for word in words if word.startswith("-")), command


def whose_turn_it_is_has_what_he_types():
    """Algorithm, each dataset, results: by the names that the manifest has, whatever they are, for a shell and for an HTML page."""
    hostile = "-$(touch x)'; \"<img src=x>.zip"
    with Web() as web, agent_of(web.service) as agent:
        web.come_in()
        until(connected(web.service, "cvm-1"), "the connection")
        for attested in (True, False):
            proof = ["--attested-tls", "--attestation-policy", "policy.json", "--manifest", "manifest.json"] if attested else []
            known = create(web.service, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY, algo_type="python"), datasets=[
                cvms.Dataset(hash=bytes([n]) * 32, userKey=KEY, filename=name) for n, name in enumerate(("h1.zip", hostile))],
                result_consumers=[cvms.ResultConsumer(userKey=KEY)], agent_config=cvms.AgentConfig(port="7002", attested_tls=attested))
            run(web.service, known, "cvm-1")
            agent.manifest()
            for event, state, wanted in (
                    ("ReceivingAlgorithm", "Waiting for Algorithm", [["algo", "FILE", "private.pem", "-a", "python", *proof]]),
                    ("ReceivingData", "Waiting for Datasets", [["data", *proof, "h1.zip", "private.pem"],
                                                                ["data", *proof, "--", hostile, "private.pem"]]),
                    ("Running", "Running", []), ("Complete", "Completed", [["result", "private.pem", *proof]])):
                agent.event(known, event, "InProgress")
                web.service.until_state(known, state)
                status = web.ask("/c/" + known).body.decode().split('<div id="status">')[1].split("</section>")[0]
                shown = [shlex.split(html.unescape(found)) for found in re.findall(r'aria-label="Command"><code>(.*?)</code>', status)]
                assert shown == [["cocos-cli", *words] for words in wanted], (state, shown)
                # The command line takes each as it is: what it asks for then is the key, which is not here.
                for words in wanted:
                    ran = cli(*(word.replace("FILE", "train.py") for word in words), cwd=web.folder.path)
                    assert ran.status in (1, 2) and "private.pem" in ran.err and "operand" not in ran.err and "option '" not in ran.err, ran.err
            web.service.admin.Stop(computations.ComputationRequest(id=known), timeout=PATIENCE)
            agent.next("stopComputation")
            agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=known))
            until(lambda: not web.service.show(known).stopping, "the confirmation")  # pylint: disable=cell-var-from-loop


def what_is_wrong_is_said():
    with Web() as web:
        web.come_in()
        for path, method, status in [
                ("/nothing", "GET", 404), ("/c", "GET", 404), ("/c/x/y", "GET", 404), ("/c/x/manifest", "GET", 404),
                ("/c/..", "GET", 400), ("/c/%2e%2e/x", "GET", 400), ("/../etc/passwd", "GET", 400), ("//", "GET", 400),
                ("/c/a%2fb", "GET", 400), ("/c/%00", "GET", 400), ("/c/%ff", "GET", 400), ("/page.css/", "GET", 400),
                ("/c/" + "a" * 256, "GET", 414), ("/?q=" + "a" * 5000, "GET", 414), ("/?x=1", "GET", 400),
                ("/?q=1&q=2", "GET", 400), ("/?state=none", "GET", 400), ("/?before=none", "GET", 400), ("/?sort=id", "GET", 400),
                ("/?q=" + "a" * 600, "GET", 400), ("/", "POST", 405), ("/", "DELETE", 405), ("/api", "PUT", 405),
                ("/api/computations", "PUT", 405), ("/c/x", "PATCH", 405), ("/", "TRACE", 405), ("/", "QUERY", 501),
                ("/api/computations/x/events?after=y", "GET", 400), ("/c/x/events.sse?after=-1", "GET", 400)]:
            answer = web.ask(path, method)
            assert answer.status == status, (path, method, answer.status, answer.body)
            assert answer.problem()["title"] and (status != 405 or answer.fields["allow"])
            page = web.ask(path, method, headers=BROWSER)
            assert page.status == status and page.page().words()
        assert web.ask("/", headers=[("X", "a" * 40000)][:0] + [("X", "a" * 3000)] * 2).status == 200
        assert web.ask("/", "HEAD").status == 200 and web.ask("/", "OPTIONS").fields["allow"] == "GET, HEAD, OPTIONS"


def huge_headers_are_refused():
    with Web() as web:
        with socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE) as s:
            with contextlib.suppress(ConnectionError):
                s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):  # a silence is no refusal
                assert s.recv(100)[9:12] in (b"431", b"")


def lists_are_found_and_paged():
    with Web() as web:
        web.come_in()
        service = web.service
        made = [create(service, name=f"Number {n:03}", description="odd." if n % 2 else "even_%") for n in range(120)]
        seen, before = [], ""
        while before is not None:
            answer = web.ask("/api/computations" + (f"?before={before}" if before else "")).json()
            seen += [c["id"] for c in answer["computations"]]
            before = answer["next"]
        assert seen == made[::-1]
        pages, at = [], "/"
        while at:
            page = web.ask(at).page()
            pages += [link.split("/")[2] for link in page.links if link.startswith("/c/")]
            older = [link for link in page.links if "before=" in link]
            at = older[0] if older else None
        assert pages == made[::-1]

        def names(query):
            return [c["name"] for c in web.ask("/api/computations?" + query).json()["computations"]]
        assert names("q=NUMBER+007") == ["Number 007"]
        assert names("q=er%200%37") == [f"Number 07{n}" for n in range(9, -1, -1)]
        assert names("q=_%25") == [f"Number {n:03}" for n in range(118, 18, -2)] and names("q=e_e") == []
        assert names("q=!") == [] and len(names("q=odd")) == 50 and names("state=running") == []
        assert names("q=" + made[5]) == ["Number 005"] and len(names("state=created")) == 50
        digest = service.show(made[9]).manifest_digest.hex()
        assert names("q=" + digest) == ["Number 009"] and names("q=" + digest[:-1]) == []
        assert "Nothing here" in web.ask("/?q=nowhere").page().words()
        # What no segment of a path can be, a query can.
        assert [link for link in web.ask("/?q=.").page().links if link.startswith("/?q=.&")]


def lists_have_an_order():
    """By each column, both ways; a page goes on where the one before it ended, whatever changes meanwhile."""
    with Web() as web:
        web.come_in()
        service = web.service
        made = [create(service, name=f"{word} {n:02}") for n in range(60) for word in ("beta", "Alpha")]
        service.admin.Stop(computations.ComputationRequest(id=made[7]), timeout=PATIENCE)

        def walk(query):
            path, found = "/api/computations?" + query, []
            while path:
                answer = web.ask(path).json()
                found += answer["computations"]
                path = answer["next"] and f"/api/computations?{query}&before=" + answer["next"]
            return found
        names = [f"{word} {n:02}" for word in ("Alpha", "beta") for n in range(60)]
        assert [c["name"] for c in walk("sort=name")] == names and [c["name"] for c in walk("sort=-name")] == names[::-1]
        assert [c["id"] for c in walk("sort=created")] == made and [c["id"] for c in walk("sort=-created")] == made[::-1]
        assert [c["id"] for c in walk("sort=state")] == made[:7] + made[8:] + made[7:8]
        changes = [c["id"] for c in walk("sort=-changed")]
        assert changes[::-1] == [c["id"] for c in walk("sort=changed")] and sorted(changes) == sorted(made)
        assert walk("sort=-state")[0]["state"] == "Cancelled"
        assert [c["name"] for c in walk("q=ALPHA&state=created&sort=-name")] == [n for n in names[59::-1] if n != "Alpha 03"]
        first = web.ask("/api/computations?sort=name").json()
        for other in ("sort=-name", "sort=created", "sort=", "sort=name&q=a", "sort=name&state=created", "state=running"):
            refused = web.ask(f"/api/computations?{other}&before=" + first["next"])
            assert refused.status == 400 and "another" in refused.problem()["detail"], (other, refused.body)
        # What was on the page is renamed to the end of the list, what comes next is removed: all others come once.
        service.admin.Rename(computations.RenameRequest(id=first["computations"][-1]["id"], name="z", keep_description=True), timeout=PATIENCE)
        second = web.ask("/api/computations?sort=name&before=" + first["next"]).json()["computations"]
        assert [c["name"] for c in second] == names[50:100]
        for word in ("id", "--name", "name;", "name%20desc", "Name", "description"):
            assert web.ask("/api/computations?sort=" + word).status == 400, word
        table = web.ask("/?sort=name&q=a&state=created").body.decode()
        assert re.findall(r'aria-sort="(\w+)"><a href="([^"]+)"', table) == [
            (how, f"/?q=a&amp;state=created&amp;sort={sort}") for how, sort in
            (("ascending", "-name"), ("none", "state"), ("none", "-created"), ("none", "-changed"))]
        assert '<option value="name" selected>' in table and re.search(r'rel="next" href="/\?q=a&amp;state=created&amp;sort=name&amp;before=', table)

        def listed(**wanted):
            after, found = "", []
            while True:
                page = service.admin.List(computations.ListRequest(after=after, limit=50, **wanted), timeout=PATIENCE)
                found += [c.id for c in page.computations]
                after = page.next
                if not after:
                    return found
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        ids = [c["id"] for c in json.loads(cli("computation", "list", "--sort", "-name", "--json", **where).ok())]
        assert ids == listed(sort="-name") and len(ids) == 120, ids
        assert "there is no order by 'id'" in cli("computation", "list", "--sort", "id", **where).err
        assert listed() == listed(sort="created") == made and listed(sort="-created") == made[::-1]
        assert listed(sort="-name")[0] == first["computations"][-1]["id"] and len(set(listed(sort="changed", workspace="default"))) == 120
        for call, wanted in ((service.admin.List, {"sort": "id"}), (service.admin.List, {"sort": "name", "after": made[0]}),
                             (service.admin.List, {"sort": "-name", "after": first["next"]}), (service.admin.ListCvms, {"sort": "state"}),
                             (service.admin.ListMachines, {"sort": "changed"})):
            try:
                call(computations.ListRequest(**wanted), timeout=PATIENCE)
            except grpc.RpcError as e:
                assert e.code() == grpc.StatusCode.INVALID_ARGUMENT, (wanted, e)
            else:
                raise AssertionError(wanted)


def one_computation_is_told_whole():
    with Web() as web:
        web.come_in()
        service = web.service
        assert "No computation yet" in web.ask("/").page().words()
        other, _ = spki("other")
        config = cvms.AgentConfig(port="7002", attested_tls=True, key_file=SECRET, cert_file="/etc/agent.pem")
        known = create(service, name="COVID-19", description="Line 1\nline 2", agent_config=config, datasets=[
            cvms.Dataset(hash=bytes(range(32)), userKey=other, filename="h1.zip", decompress=True)])
        digest = service.show(known).manifest_digest.hex()
        page = web.ask("/c/" + known)
        shown = page.page().words()
        fingerprint = hashlib.sha3_256(other).hexdigest()
        for words in ("COVID-19", "Created", "h1.zip", fingerprint, hashlib.sha3_256(KEY).hexdigest(), "Attested TLS",
                      bytes(range(32)).hex(), (b"a" * 32).hex(), f"cocos-cli computation run '{known}'",
                      "cocos-cli checksum --manifest manifest.json"):
            assert words in shown, words
        assert " ".join(digest[at:at + 8] for at in range(0, 64, 8)) in shown
        told = web.ask("/api/computations/" + known).json()
        assert told["manifest_digest"] == digest and told["state"] == "Created"
        assert told["datasets"] == [{"filename": "h1.zip", "digest": bytes(range(32)).hex(),
                                     "provider_key": fingerprint, "decompress": True}]
        # What is downloaded is what the digest is of; the CLI says the same.
        for path in (f"/c/{known}/manifest.json", f"/api/computations/{known}/manifest"):
            got = web.ask(path)
            assert hashlib.sha3_256(got.body).hexdigest() == digest
            assert got.fields["content-disposition"] == 'attachment; filename="manifest.json"'
            assert SECRET.encode() not in got.body and b"agent.pem" not in got.body
        saved = web.folder.write("manifest.json", got.body.decode())
        assert digest in cli("checksum", "--manifest", saved).ok()
        for path in ("/", "/c/" + known, "/api/computations", "/api/computations/" + known):
            assert SECRET.encode() not in web.ask(path).body


def whose_keys_are_where_is_told():
    with Web() as web:
        web.come_in()
        web.service.folder, web.service.root = web.folder, Caller(web.service.channel)
        anna, bert = Holder(web.service, "anna"), Holder(web.service, "bert")
        anna.register()
        bert.register()
        anna.caller("Create", of(anna.spki, bert.spki))
        bert.caller("RetireKey", fingerprint=bert.fingerprint)
        for path in ("/c/c", "/c/c/manifest", "/c/c/roles"):
            shown = web.ask(path).page().words()
            assert f"{anna.fingerprint.hex()} Registered by anna" in shown, shown
            assert f"{bert.fingerprint.hex()} Registered by bert , who has retired it" in shown, shown
            assert shown.count("Registered by") == 2
        known = create(web.service)
        assert "Registered by" not in web.ask("/c/" + known).page().words()


def whose_turn_it_is_is_told():
    with Web() as web:
        web.come_in()
        service = web.service
        other, _ = spki("other")
        known = create(service, datasets=[cvms.Dataset(hash=b"d" * 32, userKey=other, filename="h1.zip")])
        with agent_of(service) as agent:
            until(connected(service, "cvm-1"), "the connection")
            run(service, known)
            agent.manifest()
            for event, state, words in (
                    ("ReceivingAlgorithm", "Waiting for Algorithm", hashlib.sha3_256(KEY).hexdigest()),
                    ("ReceivingData", "Waiting for Datasets", hashlib.sha3_256(other).hexdigest()),
                    ("Running", "Running", "Nobody has to do anything"),
                    ("Failed", "Failed", "It failed")):
                agent.event(known, event, "InProgress")
                service.until_state(known, state)
                page = web.ask("/c/" + known)
                turn = page.body.decode().split('id="status"')[1].split('id="manifest"')[0]
                assert state in turn and words in turn, (state, turn)
                page.page()
                assert f'value="{state.lower().replace(" ", "-")}"' in web.ask("/").body.decode()
                row = web.ask("/?state=" + state.lower().replace(" ", "-")).page()
                assert "/c/" + known in row.links
        assert "cvm-1" in page.page().words()


class Events:
    """A stream of events, read by hand."""

    def __init__(self, web, path, last=None, authorization=None):
        more = f"Last-Event-ID: {last}\r\n" if last is not None else ""
        more += f"Authorization: {authorization}\r\n" if authorization else ""
        self.socket = socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE)
        self.socket.sendall((f"GET {path} HTTP/1.0\r\nHost: {web.host}\r\nCookie: {web.cookie}\r\n{more}\r\n").encode())
        self.came = b""
        while b"\r\n\r\n" not in self.came:
            self.read()
        head, self.came = self.came.split(b"\r\n\r\n", 1)
        assert b" 200 " in head.split(b"\r\n")[0] and b"text/event-stream" in head, head

    def read(self):
        piece = self.socket.recv(65536)
        assert piece, self.came
        self.came += piece

    def next(self):
        while True:
            while b"\n\n" not in self.came:
                self.read()
            part, self.came = self.came.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in part.decode().split("\n") if not line.startswith(":"))
            if "data" in fields:
                record = json.loads(fields["data"])
                assert fields["event"] == "record" and int(fields["id"]) == record["number"]
                return record

    def ends(self):
        """Without another record."""
        with contextlib.suppress(ConnectionError):
            while piece := self.socket.recv(65536):
                self.came += piece
        return b"data:" not in self.came

    def close(self):
        self.socket.close()


def events_come_live_and_go_on_after_a_cut():
    with Web() as web:
        web.come_in()
        service = web.service
        known = create(service)
        other = create(service, name="other")
        assert web.ask("/c/unknown/events.sse").status == 404
        with agent_of(service) as agent:
            until(connected(service, "cvm-1"), "the connection")
            run(service, known)
            agent.manifest()
            agent.event(known, "ReceivingAlgorithm", "InProgress")
            service.until_state(known, "Waiting for Algorithm")
            first, second = Events(web, f"/c/{known}/events.sse"), Events(web, f"/api/computations/{known}/events")
            stranger = Events(web, f"/c/{other}/events.sse")
            seen = first.next()
            assert seen["type"] == "ReceivingAlgorithm" and second.next() == seen
            agent.log(known, "a line\nof two", "warn")
            line = first.next()
            assert (line["kind"], line["level"], line["text"]) == ("log", "warn", "a line\nof two")
            assert second.next() == line
            first.close()
            for number in range(300):  # while nobody follows
                agent.log(known, f"{number} " + "x" * 2000)
            agent.event(known, "Running", "InProgress")
            service.until_state(known, "Running")
            first = Events(web, f"/c/{known}/events.sse?after=1", last=line["number"])
            texts = [first.next() for _ in range(301)]
            assert [t["text"].split(" ")[0] for t in texts[:300]] == [str(n) for n in range(300)]
            assert texts[300]["type"] == "Running"
            assert [second.next()["number"] for _ in range(301)] == [t["number"] for t in texts]
            page = web.ask("/c/" + known)
            found = re.search(r'data-from="([^"]*)"', page.body.decode())[1]
            assert found == f"/c/{known}/events.sse?after={texts[300]['number']}"
            assert len(re.findall(r"<li data-n=", page.body.decode())) == 60
            following = Events(web, found)
            agent.event(known, "Complete", "Completed")
            assert following.next()["type"] == first.next()["type"] == "Complete"
            stranger.socket.settimeout(0.2)
            try:
                assert b"data" not in stranger.came and b"data" not in stranger.socket.recv(1000)
            except TimeoutError:
                pass
            for stream in (first, second, following, stranger):
                stream.close()


def files_are_asked_for_once():
    with Web() as web:
        for path, kind in (("/page.css", "text/css; charset=utf-8"), ("/page.js", "text/javascript; charset=utf-8"),
                           ("/icons.svg", "image/svg+xml"), ("/mark.svg", "image/svg+xml")):
            answer = web.ask(path)
            assert answer.status == 200 and answer.fields["content-type"] == kind and answer.body
            again = web.ask(path, headers=[("If-None-Match", answer.fields["etag"])])
            assert again.status == 304 and again.body == b""
            assert b"http://" not in answer.body.replace(b"http://www.w3.org/", b"") and b"https://" not in answer.body
        icons = set(re.findall(r'id="([a-z]+)"', web.ask("/icons.svg").body.decode()))
        web.come_in()
        create(web.service)
        known = web.ask("/api/computations").json()["computations"][0]["id"]
        for path in ("/", "/c/" + known, "/api"):
            page = web.ask(path).body.decode()
            assert set(re.findall(r"/icons\.svg#([a-z]+)", page)) <= icons
            # What a page costs on a slow line, if a proxy compresses it.
            assert len(zlib.compress(page.encode())) < 12000, len(page)
        assert sum(len(web.ask(path).body) for path in ("/page.css", "/page.js", "/icons.svg")) < 30000


def colours_differ_enough():
    """WCAG 2.1, 1.4.3: 4.5 for text, in both schemes."""
    def luminance(colour):
        digits = colour.lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        parts = [int(digits[at:at + 2], 16) / 255 for at in (0, 2, 4)]
        parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    with Web() as web:
        sheet = web.ask("/page.css").body.decode()
    light = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+)", sheet.split("@media (prefers-color-scheme: dark)")[0]))
    dark = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+)", sheet.split("@media (prefers-color-scheme: dark)")[1]
                           .split("*, ::before")[0]))
    pairs = [(ink, ground) for ink in ("ink", "ink2", "ink3", "turn") for ground in ("bg", "surface", "sunken")]
    pairs += [("turn", "turn-bg"), ("on-turn", "turn"), ("done", "done-bg"), ("warn", "warn-bg"), ("bad", "bad-bg"),
              ("term-ink", "term"), ("term-dim", "term")]
    assert set(dark) == set(light)
    for scheme in (light, dark):
        for ink, ground in pairs:
            a, b = sorted((luminance(scheme[ink]), luminance(scheme[ground])))
            assert (b + 0.05) / (a + 0.05) >= 4.5, (ink, ground, (b + 0.05) / (a + 0.05))


def what_it_says_of_a_change(web, path, method, operation):
    """Each parameter of the path, a schema for the body, and an answer."""
    words = web.ask("/api").page().words()
    assert operation["summary"] in words and f"{method.upper()} {path}" in words, (method, path)
    in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
    assert in_path == re.findall(r"\{(\w+)\}", path), (method, path)
    answers = operation["responses"]
    assert len(set(answers) & {"200", "201", "204"}) == 1 and {"400", "401", "403", "default"} <= set(answers), (method, path)
    has_states = method != "get" or path.endswith(("/policy", "/console/events", "/export"))  # what is not there now, and may be later
    assert ("404" in answers) >= bool(in_path) and ("409" in answers) == has_states, (method, path)
    assert re.match(r"For (every user(, with a session, or a token for all actions)?|whom? .*“[a-z]+”.*)\.$", operation["description"]), operation["description"]
    assert operation["description"] in words, (method, path)
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert method in ("post", "put") and schema["additionalProperties"] is False
        assert set(schema.get("required", [])) <= set(schema["properties"]), (method, path)


def the_document_says_what_is_there():
    with Web() as web, agent_of(web.service):
        until(connected(web.service, "cvm-1"), "the connection")
        web.come_in()
        known = create(web.service)
        people_grpc.PeopleServiceStub(web.service.channel).AddUser(people.AddUserRequest(name="me"), timeout=PATIENCE)
        root = Caller(web.service.channel)
        root("RegisterAsset", name="iris.csv", type="dataset", digest=bytes(32))
        workflow = one_workflow(Running(web.service.channel, root))
        Hooks(web.service.channel)("Create", url="https://hooks.example.org/x")
        document = web.ask("/api/openapi.json").json()
        assert document["openapi"] == "3.1.0" and len(document["paths"]) == 71
        for path, item in document["paths"].items():
            operation = item.get("get")
            for method, other in item.items():
                what_it_says_of_a_change(web, path, method, other)
            if not operation:
                continue
            kind = next(iter(operation["responses"]["200"]["content"]))
            if any(what in path for what in ("{name}", "{file}", "{account}", "{serial}")):
                continue  # of a workspace's CVM: web_machines.py; of evidence: web_evidence.py; of who pays: web_billing.py; of certificates: web_certificates.py
            asked = path.replace("{id}", known).replace("{cvm}", "cvm-1").replace("{workspace}", "default")
            asked = asked.replace("{user}", "me").replace("{asset}", "iris.csv").replace("{workflow}", workflow).replace("{number}", "1")
            assert operation["summary"] in web.ask("/api").page().words(), path
            if kind == "text/event-stream":
                Events(web, asked).close()
            else:
                got = web.ask(asked)
                assert got.fields["content-type"] == kind and (kind != "application/json" or got.json() is not None), asked
            after = {"/api/users": "me", "/api/cvms": "cvm-1", "/api/workspaces/{workspace}/usage": "1.0."}.get(path, "1")
            in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert in_path == re.findall(r"\{(\w+)\}", path)
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    # What is paged beside a user's keys is where they are used.
                    if (parameter["name"] in ("before", "after") and path != "/api/me/keys"
                            and any(p["name"] == "sort" for p in operation["parameters"])):
                        got = web.ask(f"{asked}?{parameter['name']}=1")  # it is of a list; lists_have_an_order has some
                        assert got.status == 400, (path, got.status, got.body)
                        continue
                    value = {"sort": "-name", "before": "1" if path == "/api/audit" or "deliveries" in path else known, "state": "running", "month": "2026-11", "after": after}.get(parameter["name"], "1")
                    if kind != "text/event-stream":
                        assert web.ask(f"{asked}?{parameter['name']}={value}").status == 200, (path, parameter["name"], value)
            assert web.ask(asked, "PATCH").status == 405


# As the service's unit has it (ProcSubset=pid).
PROCESSES_ALONE = ["unshare", "-m", "sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh"]


def refusal(folder, wrapper=(), **settings):
    """What a service says that does not start with them."""
    service = Computations(folder, **settings)
    config = folder.write("computations.conf", "".join(f"{k}={v}\n" for k, v in service.settings.items()))
    done = subprocess.run([*wrapper, program("cocos-computations"), "--config", config], capture_output=True,
                          check=False, timeout=PATIENCE)
    assert done.returncode == 1, done
    return done.stderr.decode()


def has_v6_loopback():
    """IPv6 may be off, or for loopback alone: then the file is empty, or is not there."""
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as file:
            return any(line.startswith("0" * 31 + "1 ") for line in file)
    except FileNotFoundError:
        return False


def where_it_may_be():
    for address, words in (("0.0.0.0:0", "ADMIN_CLIENT_CA_CERTS"), ("[::]:0", "ADMIN_CLIENT_CA_CERTS"),
                           (":0", "ADMIN_CLIENT_CA_CERTS"), ("host.example:1", "ADMIN_CLIENT_CA_CERTS"),
                           ("unix:/x", "no address that a browser"), ("127.0.0.1", "COMPUTATIONS_WEB"),
                           ("127.0.0.1:x", "COMPUTATIONS_WEB"), ("127.0.0.1:70000", "COMPUTATIONS_WEB")):
        with Folder() as folder:
            assert words in refusal(folder, WEB=address), address
    # What it asks for is enough: where users sign in, no authority is.
    with Folder() as folder:
        assert "ADMIN_SIGN_IN=true or" in refusal(folder, WEB="0.0.0.0:0")
        said = refusal(folder, METRICS="0.0.0.0:0", ADMIN_SIGN_IN="true")
        assert "this machine alone" in said and "CLIENT_CA_CERTS" not in said, said
    # Off: no socket, no port.
    with Folder() as folder, Computations(folder) as service:
        assert not [name for name in os.listdir(folder.path) if "web" in name] and "page:" not in service.process.text()
    # Somebody else has the port on the other loopback address: their page would be shown our cookies.
    if has_v6_loopback():
        with socket.socket(socket.AF_INET6) as taken, Folder() as folder:
            port = free_port()  # of 127.0.0.1, too, so that it is refused for this
            taken.bind(("::1", port))
            taken.listen()
            settings = {"WEB": f"127.0.0.1:{port}"}
            assert "::1" in refusal(folder, **settings)
            if os.geteuid() == 0:
                assert "::1" in refusal(folder, wrapper=PROCESSES_ALONE, **settings)


def off_this_machine_certificates_are_asked_for():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_CLIENT_CA_CERTS": tls("ca.pem"), "WEB": "0.0.0.0:0"}
        with Folder() as folder, Computations(folder, **settings) as service:
            port = service.process.wait_line(r"page: listening on .*, port (\d+), with mutual TLS")[1]
            create(service, name="one")

            def curl(*options):
                return subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"), *options],
                                      capture_output=True, check=False)
            known = ["--cert", tls("client.pem"), "--key", tls("client-key.pem")]
            page = curl(*known, f"https://localhost:{port}/")
            assert page.returncode == 0 and "one" in Strict(page.stdout.decode()).words(), page
            assert json.loads(curl(*known, f"https://localhost:{port}/api/computations").stdout)["computations"]
            refused = curl(f"https://localhost:{port}/")
            assert refused.returncode != 0 and refused.stdout == b"", refused
            assert curl(*known, "-X", "POST", f"https://localhost:{port}/link").stdout.count(b'"status":403') == 1


def a_service_ends_while_browsers_follow():
    with Web() as web:
        web.come_in()
        known = create(web.service)
        streams = [Events(web, f"/c/{known}/events.sse") for _ in range(5)]
    for stream in streams:
        with contextlib.suppress(OSError):
            while stream.socket.recv(1000):
                pass
        stream.close()


def a_service_ends_while_browsers_come():
    """Requests whose first page is being read when it ends."""
    with Web() as web:
        known = create(web.service)
        streams = []
        for _ in range(40):
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(PATIENCE)
            stream.connect(web.socket)
            streams.append(stream)
        for stream in streams:
            stream.sendall(f"GET /c/{known}/events.sse HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert web.service.process.stop() == 0
    for stream in streams:
        stream.close()


if __name__ == "__main__":
    tap.run([nobody_sees_it_without_a_link, a_cookie_is_of_use_at_its_own_name_alone, other_sites_pages_get_nothing,
             links_are_given_at_the_socket_alone, lists_of_the_service_are_paged,
             each_command_is_one, texts_of_others_stay_texts, what_is_wrong_is_said,
             huge_headers_are_refused, lists_are_found_and_paged, lists_have_an_order, one_computation_is_told_whole,
             whose_keys_are_where_is_told, whose_turn_it_is_is_told, whose_turn_it_is_has_what_he_types, events_come_live_and_go_on_after_a_cut, files_are_asked_for_once,
             colours_differ_enough, the_document_says_what_is_there, where_it_may_be,
             off_this_machine_certificates_are_asked_for, a_service_ends_while_browsers_follow,
             a_service_ends_while_browsers_come])
