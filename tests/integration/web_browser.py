#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: every screen, at every width, in both schemes, by keyboard alone, on slow lines."""
import contextlib
import hashlib
import os
import sqlite3

import grpc

import harness
import tap
import web_usage
from billing import Billing
from browser import Browser
from computations_service import agent_of, connected, create, run
from harness import PATIENCE, Folder, computations, cvms, people_grpc, spki, until
from hook_receiver import Hooks
from people import Caller
from played_manager import PlayedManager
from user_keys import user
from web_certificates import Office, Rotated
from web_page import Web
from workflow_parties import Executor, Running, Submitter, node

WIDTHS = [320, 360, 768, 1024, 1280, 1440, 1920, 2560, 3840]
KEYS = [spki(name)[0] for name in ("one", "other", "third")]
ALIKE = ("found", "waiting-for-algorithm", "running", "completed", "cancelled", "roles-frozen", "no-users")
SLOW = ("list", "created", "completed")
LONG = "Trains a classifier of chest X-rays (normal, viral pneumonia, COVID) on the images of three hospitals."

with open(os.path.join(os.path.dirname(__file__), "page_checks.js"), encoding="utf-8") as checks:
    CHECKS = checks.read()


class Room:
    """A service with a page, and a browser that is nobody there yet."""

    kind = Web

    def __init__(self, **settings):
        self.web = self.kind(**settings)

    def __enter__(self):
        with contextlib.ExitStack() as stack:  # a browser that does not start leaves no service behind
            stack.enter_context(self.web)
            self.page = stack.enter_context(Browser()).page()
            self.stack = stack.pop_all()
        self.base = f"http://localhost:{self.web.port}"
        return self

    def __exit__(self, *about):
        self.stack.__exit__(*about)

    def come_in(self):
        host, path = self.web.link()
        self.page.go(f"http://{host}{path}")
        self.base = f"http://{host}"
        assert self.page.run("location.pathname") == "/"

    def go(self, path):
        self.page.go(self.base + path)


class OfficeRoom(Room):
    kind = Office


def fill(service):
    """One computation in each state; those who send are three."""
    fields = {"description": LONG, "algorithm": cvms.Algorithm(hash=b"a" * 32, userKey=KEYS[0], algo_type="python"),
              "datasets": [cvms.Dataset(hash=b"%d" % n * 32, userKey=KEYS[n], filename=f"h{n + 1}.zip", decompress=True)
                           for n in range(3)],
              "result_consumers": [cvms.ResultConsumer(userKey=KEYS[0])],
              "agent_config": cvms.AgentConfig(port="7002", attested_tls=True)}
    made = {"Created": create(service, id="created", name="COVID-19 training", **fields)}
    for event, state in (("ReceivingAlgorithm", "Waiting for Algorithm"), ("ReceivingData", "Waiting for Datasets"),
                         ("Running", "Running"), ("Complete", "Completed"), ("Failed", "Failed")):
        cvm = "covid-" + state.split()[-1].lower()
        with agent_of(service, cvm) as agent:
            until(connected(service, cvm), "the connection")
            known = create(service, id=state.lower().replace(" ", "-"), name="COVID-19 " + state.lower(), **fields)
            run(service, known, cvm)
            agent.manifest()
            for number in range(3):
                agent.log(known, f"line {number} of what the agent says", "info")
            agent.event(known, event, "InProgress", b"no module named torch" if event == "Failed" else b"")
            service.until_state(known, state)
            made[state] = known
    stopped = create(service, id="cancelled", name="COVID-19 cancelled", **fields)
    service.admin.Stop(computations.ComputationRequest(id=stopped), timeout=PATIENCE)
    made["Cancelled"] = stopped
    people = people_grpc.PeopleServiceStub(service.channel)
    for name in ("steward-a", "steward-b", "author-d", "auditor@hospital-a.example"):
        people.AddUser(harness.people.AddUserRequest(name=name), timeout=PATIENCE)
    for note in ("the statistician of hospital A", ""):
        people.Invite(harness.people.InviteRequest(workspace="default", role="viewer", note=note), timeout=PATIENCE)
    people.AddWorkspace(harness.people.WorkspaceRequest(name="second"), timeout=PATIENCE)
    for number in range(3):
        people.RegisterAsset(harness.people.RegisterAssetRequest(
            workspace="default", name=f"h{number + 1}.zip", type="dataset", mime_type="application/zip", description=LONG,
            digest=b"%d" % number * 32), timeout=PATIENCE)
    people.LinkAsset(harness.people.LinkAssetRequest(workspace="default", name="h1.zip", computation_id="created"),
                     timeout=PATIENCE)
    for known, role, name in (("created", "owner", "author-d"), ("created", "dataset_provider", "steward-a"),
                              ("created", "dataset_provider", "steward-b"),
                              ("created", "viewer", "auditor@hospital-a.example"), ("running", "owner", "author-d")):
        request = harness.people.MemberRequest(computation_id=known, role=role, user=name)
        people.GiveRole(request, timeout=PATIENCE)
    people.DefineRole(harness.people.DefineRoleRequest(computation_id="created", role="reviewer", actions=["view", "run"]), timeout=PATIENCE)
    people.GiveRole(harness.people.MemberRequest(computation_id="created", role="reviewer", user="steward-b"), timeout=PATIENCE)
    try:
        people.GiveRole(harness.people.MemberRequest(computation_id="running", role="algo_provider", user="steward-a"),
                        timeout=PATIENCE)
    except grpc.RpcError:
        pass  # it is frozen, and in the audit log
    return made


def screens(made):
    """Name and address of each, all of them."""
    return [("list", "/"), ("found", "/?q=covid&state=running"), ("none-found", "/?q=nowhere"), ("api", "/api"),
            ("me", "/me"), ("keys", "/me/keys"), ("sign-in", "/sign-in"), ("cvms", "/cvms"), ("cvm", "/cvms/covid-failed"), ("users", "/users"), ("audit", "/audit"),
            ("workspaces", "/workspaces"), ("members", "/w/default/members"), ("member", "/w/default/members/steward-a"), ("transfer", "/w/default/members/steward-a/transfer"), ("role-own", "/c/created/roles/own/reviewer"),
            ("settings", "/w/default/settings"), ("import", "/w/default/import"),
            ("no-assets", "/w/second/assets"), ("assets", "/w/default/assets"), ("asset", "/w/default/assets/h1.zip"),
            ("manifest", "/c/created/manifest"), ("ask-run", "/c/created/run"), ("ask-stop", "/c/running/stop"),
            ("ask-remove", "/c/failed/remove"), ("ask-release", "/cvms/covid-failed/release"), ("roles", "/c/created/roles"), ("roles-frozen", "/c/running/roles"), ("new", "/new"), ("no-machines", "/w/default/cvms"), ("no-manager", "/w/default/new-cvm"), ("clone", "/new?from=created"),
            *((state.lower().replace(" ", "-"), "/c/" + known) for state, known in made.items())]


def every_screen_is_as_it_should_be():
    with Room() as room:
        page = room.page
        page.size(1440)
        room.come_in()
        wrong = []
        for name, path in (("empty", "/"), ("no-cvms", "/cvms"), ("no-users", "/users")):
            wrong += look(room, name, path)
        for name, path in screens(fill(room.web.service)):
            wrong += look(room, name, path)
        wrong += look(room, "not-found", "/c/nothing", 404)
        assert not wrong, "\n".join(wrong[:40])


def look(room, name, path, status=200):
    page = room.page
    wrong = []
    page.size(1440)
    room.go(path)
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        # No colour depends on the width; and the pages of computations differ in a few words.
        for width in WIDTHS if scheme == "light" and name not in ALIKE else (320, 1440):
            page.size(width)
            wrong += [f"{name}, {scheme}, {width}: {text}" for text in page.run(CHECKS)]
            if (width, scheme) in ((320, "dark"), (1440, "light"), (1440, "dark"), (768, "light"), (3840, "light")):
                page.picture(f"{name}-{width}-{scheme}")
    page.scheme("light")
    page.size(1440)
    for role, text in page.names():
        if role in ("link", "button", "textbox", "searchbox", "combobox", "region", "navigation", "table"):
            if not text.strip():
                wrong.append(f"{name}: a {role} without a name")
    complaints = [c for c in page.complaints() if not (status != 200 and f"{status}" in c)]
    return wrong + [f"{name}: {text}" for text in complaints]


def workspaces_cvms_are_as_they_should_be():
    """With a manager that is played, and an agent that has come."""
    with Folder() as folder:
        table = folder.write("managers", f"manager here unix:{folder('m.sock')} agents=10.0.2.2:7001\n"
                             "limit default cvms=4 cpu-hours=10 memory-hours=100\n")
        with PlayedManager(folder("m.sock")) as played, Room(MANAGERS=table) as room:
            admin = room.web.service.admin
            for name, tee in (("night", "snp"), ("day", ""), ("old", "snp")):
                admin.CreateCvm(computations.CreateCvmRequest(name=name, workspace="default", tee=tee, image="python", cpus=4,
                                                              memory=8 << 30, ttl_ms=12 * 3600 * 1000), timeout=PATIENCE)
            admin.RemoveCvm(computations.RemoveCvmRequest(name="old", workspace="default"), timeout=PATIENCE)
            for name, cpus in (("", 1), ("covid-study", 5), ("night-" + "long" * 20, 3)):
                web_usage.ran(room.web, *((name, at, at + 1, cpus * web_usage.HOUR_MS, 4 << 30) for at in web_usage.this_and_next()))
            room.come_in()
            wrong = []
            with agent_of(room.web.service, played.created[0][1]):
                until(connected(room.web.service, played.created[0][1]), "the connection")
                for name, path in (("machine-list", "/w/default/cvms"), ("machine-ready", "/w/default/cvms/night"),
                                   ("machine-new", "/w/default/new-cvm"), ("machine-no-tee", "/w/default/cvms/day"),
                                   ("machine-evidence", "/w/default/cvms/night/evidence"),
                                   ("machine-gone", "/w/default/cvms/old"), ("machine-remove", "/w/default/cvms/night/remove"),
                                   ("usage", "/w/default/usage"), ("no-usage", "/w/default/usage?month=2020-01")):
                    wrong += look(room, name, path)
                    room.page.size(360)
                    room.go(path)
                    walk(room.page)
            assert not wrong, "\n".join(wrong[:40])


def billing_is_as_it_should_be():
    """Without plans, without accounts, and with some: names as long as they come, workspaces that are removed, a plan that is."""
    with Room() as room:
        room.come_in()
        wrong = look(room, "no-plans", "/billing")
    with Folder() as folder:
        long, plan = "a" * 63, "plan-" + "p" * 58
        table = folder.write("managers", f"manager here unix:{folder('m.sock')} agents=10.0.2.2:7001\nlimit * cvms=4\n"
                             f"plan small cpu-hours=10 memory-hours=100\nplan {plan} cvm-hours=1000\nplan open cvm-hours=5\n")
        with PlayedManager(folder("m.sock")), Room(MANAGERS=table) as room:
            account, caller = Billing(room.web.service.channel), Caller(room.web.service.channel)
            room.come_in()
            wrong += look(room, "no-accounts", "/billing")
            for name, of, places in (("acme", "small", ("default", "lab", "w" * 60)), ("gone", "small", ("den",)),
                                     (long, plan, ("ward",)), ("new", "open", ())):
                account("Create", name=name, plan=of)
                for place in places:
                    if place != "default":
                        caller("AddWorkspace", name=place)
                    account("Give", name=name, workspace=place)
            for name, cpus in (("", 1), ("covid-study", 8)):
                web_usage.ran(room.web, *((name, at, at + 1, cpus * web_usage.HOUR_MS, 4 << 30) for at in web_usage.this_and_next()))
            caller("RemoveWorkspace", name="lab")
            path = os.path.join(room.web.service.folder("state"), "computations.db")
            with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
                database.execute("UPDATE billing_accounts SET plan = 'ended' WHERE name = 'gone'")
                database.commit()
            for name, path in (("billing", "/billing"), ("account", "/billing/acme"), ("account-plan-gone", "/billing/gone"),
                               ("account-long", "/billing/" + long), ("account-new", "/billing/new"),
                               ("billing-last", "/billing?after=new")):
                wrong += look(room, name, path)
                for width in (320, 1440):
                    room.page.size(width)
                    room.go(path)
                    walk(room.page)
            # All of it by hand: made, given, and what is refused says so.
            page = room.page
            room.go("/billing")
            page.run("document.getElementById('f-account').focus()")
            page.type("clinic")
            page.key("Enter")
            page.until("document.querySelector('tbody a[href=\"/billing/clinic\"]') !== null", "the account")
            room.go("/billing/clinic")
            page.run("document.getElementById('f-workspace').focus()")
            page.type("default")
            page.key("Enter")
            page.until("document.body?.textContent.includes('account acme pays for that workspace')", "the refusal")
    assert not wrong, "\n".join(wrong[:40])


class RotatedRoom(Room):
    kind = Rotated


def certificates_are_as_they_should_be():
    """Without an authority; with one before it; with one that has issued nothing; and with one in each state, names as long as they may be."""
    with Room() as room:
        room.come_in()
        wrong = look(room, "no-authority", "/certificates")
    with RotatedRoom() as room:
        room.come_in()
        wrong += look(room, "certificates-rotated", "/certificates")
    with OfficeRoom() as room:
        office = room.web
        room.come_in()
        wrong += look(room, "no-certificates", "/certificates")
        long = "c" * 63
        revoked, issued = office.issue(long).serial, office.issue("cvm-1").serial
        waits = office.ca("AddToken", name="vm1.example.org", role="manager").serial
        office.ca("Revoke", serial=revoked)
        for name, path in (("certificates", "/certificates"), ("certificate", "/certificates/" + issued),
                           ("certificate-revoked", "/certificates/" + revoked), ("certificate-open", "/certificates/" + waits)):
            wrong += look(room, name, path)
            for width in (320, 1440):
                room.page.size(width)
                room.go(path)
                walk(room.page)
                # Nothing of a table is out of sight: neither a key nor when it ends.
                assert room.page.run("[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)"), (name, width)
        # By hand: what it ends stands above the button, and what it is now is what one sees then.
        page = room.page
        room.go("/certificates/" + issued)
        while page.run("document.activeElement.textContent") != "Revoke it and its line":
            page.key("Tab")
        page.key("Enter")
        page.until("document.querySelector('main .state')?.textContent === 'Revoked' && document.readyState === 'complete'", "the end of it")
        assert page.run("document.querySelector('main form') === null") and not page.complaints()
    assert not wrong, "\n".join(wrong[:40])


def webhooks_are_as_they_should_be():
    """None, and one with an address as long as they come."""
    with Room() as room:
        hooks = Hooks(room.web.service.channel)
        room.come_in()
        wrong = look(room, "no-webhooks", "/w/default/webhooks")
        made = hooks("Create", url="https://hooks.example.org/" + "a" * 480, description=LONG[:200]).webhook.number
        for name, path in (("webhooks", "/w/default/webhooks"), ("webhook", f"/w/default/webhooks/{made}")):
            wrong += look(room, name, path)
            room.page.size(360)
            room.go(path)
            walk(room.page)
        assert not wrong, "\n".join(wrong[:40])


def workflows_are_as_they_should_be():
    """None; and one with a node in each state, names as long and as hostile as they may be, in the order in which they run."""
    with Room() as room:
        running = Running(room.web.service.channel, Caller(room.web.service.channel))
        room.come_in()
        wrong = look(room, "no-workflows", "/w/default/workflows")
        anna = Submitter(running, "anna")
        kind, first, far = "k" * 64, "r1:" + "a" * 61, "-" * 64
        home, other = Executor(running, user(running, "home"), kind), Executor(running, user(running, "other"), "away")
        evil = "<img src=x onerror=alert(1)>&amp;'\"" + "m" * 80
        keys = {kind: [home.public], "away": [other.public]}
        made = anna.submit([node("last", first, "lost", far, kind=kind), node(first, kind=kind, function="f" * 64),
                            node("lost", kind=kind), node("behind", "lost", kind=kind), node(far, kind="away"),
                            node("ready", kind="away")], keys, name=evil)
        home.finish(home.take(), b"5")
        home.fail(home.take(), "<script>alert(1)</script> " + "w" * 480, True)
        assert other.take()
        assert sorted(n.state for n in anna.state(made.id).nodes) == ["Cancelled", "Cancelled", "Done", "Failed", "Ready", "Taken"]
        for name in ("", "of one node"):
            anna.call("Cancel", id=anna.submit([node("a", kind=kind)], keys, name=name).id)
        for name, path in (("workflows", "/w/default/workflows"), ("workflow", "/w/default/workflows/" + made.id)):
            wrong += look(room, name, path)
            for width in (320, 1440, 360):
                room.page.size(width)
                room.go(path)
                # What one has named pushes nothing of another's out of sight.
                hidden = room.page.run("[...document.querySelectorAll('.state, tbody td, tbody th, tbody .long')].filter((e) => "
                                       "e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 90))")
                assert hidden == [], (name, width, hidden)
            walk(room.page)
            assert room.page.run("document.querySelectorAll('main img, main script').length") == 0
        assert room.page.run("[...document.querySelectorAll('tbody th [id^=n-]')].map((e) => e.textContent)") == [
            first, "lost", far, "ready", "last", "behind"]
        assert not wrong, "\n".join(wrong[:40])


def what_becomes_of_a_workflow_is_shown_as_it_does():
    """Its page is never opened anew: nodes, what goes into each and comes out, and the end of it."""
    with Room() as room:
        page, running = room.page, Running(room.web.service.channel, Caller(room.web.service.channel))
        room.come_in()
        anna, home = Submitter(running, "anna"), Executor(running, user(running, "home"), "t")
        evil = "<b>é" * 80
        made = anna.submit([node("first", text=evil, retries=1), node("last", "first")], {"t": [home.public]}, name="two")
        room.go("/w/default/workflows/" + made.id)
        page.run("window.same = true")
        cells = "[...document.querySelectorAll('tbody [data-l={}]')].map((e) => e.textContent)"

        def shows(states, inputs, outputs):
            page.until(f"JSON.stringify({cells.format('State')}) === JSON.stringify({states})", states)
            given = page.run(cells.format("Input"))
            assert given[0].endswith("…") and '{"text": "<b>\\u00e9<b>' in given[0] and len(given[0]) == 241, given
            assert given[1].startswith("{}") and inputs in given[1], given
            seen = page.run(cells.format("Output"))
            assert all(text.startswith(out) for text, out in zip(seen, outputs)), seen
            assert page.run("document.querySelectorAll('tbody b').length") == 0

        shows(["Ready", "Waiting"], "0 of 1 outputs", ["–", "–"])
        page.until("document.getElementById('live').textContent === 'Live'", "that it is followed")
        taken = home.take()
        shows(["Taken", "Waiting"], "0 of 1 outputs", ["–", "–"])
        home.fail(taken, "no disk", False)
        shows(["Readyno disk", "Waiting"], "0 of 1 outputs", ["–", "–"])
        home.finish(home.take(), b"5")
        size = anna.state(made.id).nodes[0].output_bytes
        shows(["Done", "Ready"], f"1 of 1 outputs, {size} bytes, sealed", [f"{size} bytes, sealed", "–"])
        assert page.run("document.getElementById('said').textContent") != "State: Completed"
        home.finish(home.take(), b"6")
        shows(["Done", "Done"], "1 of 1 outputs, wiped", ["wiped", ""])
        page.until("document.getElementById('said').textContent === 'State: Completed'", "the word for it")
        page.until("document.getElementById('live').hidden", "that it goes on no more")
        assert page.run("window.same") and not page.complaints()
        told = page.run(f"fetch('/api/workspaces/default/workflows/{made.id}').then((a) => a.json()).then((all) => all.nodes)")
        assert [one["kwargs"] for one in told] == [{"text": evil}, {}], told
        other = anna.submit([node("first")], {"t": [home.public]})
        room.go("/w/default/workflows/" + other.id)
        page.until("document.getElementById('live').textContent === 'Live'", "that it is followed")
        room.web.service.process.stop()
        page.until("document.getElementById('live').textContent.startsWith('Connecting again')", "that it is cut")


def nothing_moves_while_it_comes():
    """From the first paint on; of some screens on a line of 400 kbit/s with 400 ms."""
    with Room() as room:
        page = room.page
        room.come_in()
        made = fill(room.web.service)
        for width in (360, 1440):
            page.size(width)
            for name, path in screens(made):
                page.line(400_000 if name in SLOW else 0, 400 if name in SLOW else 0)
                room.go(path)
                assert page.run("window.seen.shifts") == [], (name, width, page.run("window.seen.shifts"))
        # What moved would be seen.
        page.run("new Promise((done) => { const p = document.createElement('p'); p.textContent = 'x'; p.id = 'moves'; "
                 "document.querySelector('main').prepend(p); done(true); })")
        page.until("window.seen.shifts.length > 0", "a shift")


ACTIVE = """(() => {
    const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
    return { index: [...document.querySelectorAll("*")].indexOf(e), what: e.outerHTML.slice(0, 100),
        isBody: e === document.body, outline: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2,
        isSeen: b.top >= -1 && b.top < innerHeight && b.left >= -1 && b.left < innerWidth && b.width > 0 };
})()"""
REACHABLE = """[...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']")]
    .filter((e) => e.checkVisibility() && !e.disabled).map((e) => [...document.querySelectorAll("*")].indexOf(e))"""


def walk(page):
    """Tab by tab, from the top: everything is reached, in the order in which it stands, and seen to be."""
    wanted, reached = page.run(REACHABLE), []
    for _ in wanted:
        page.key("Tab")
        active = page.run(ACTIVE)
        assert not active["isBody"] and active["outline"] and active["isSeen"], active
        reached.append(active["index"])
    assert reached == wanted, (reached, wanted)


def the_keyboard_is_enough():
    with Room() as room:
        page = room.page
        page.size(1440)
        room.come_in()
        made = fill(room.web.service)
        for width in (360, 1440):
            page.size(width)
            for _, path in screens(made):
                room.go(path)
                walk(page)
        # Past what all pages have, in one step; then a search, and what it finds.
        room.go("/")
        page.key("Tab")
        assert page.run("document.activeElement.textContent") == "Skip to content"
        page.key("Enter")
        page.until("document.activeElement.id === 'main'", "the content")
        page.key("Tab")
        assert page.run("document.activeElement.textContent") == "New computation"
        page.key("Tab")
        assert page.run("document.activeElement.id") == "q"
        page.type("covid-19 running")
        page.key("Enter")
        page.until("location.search.includes('q=covid-19+running') && document.readyState === 'complete'", "the search")
        assert page.run("document.querySelectorAll('tbody tr').length") == 1
        while page.run("document.activeElement.closest('tbody') === null"):
            page.key("Tab")
        page.key("Enter")
        page.until("location.pathname === '/c/running' && document.readyState === 'complete'", "the computation")
        page.settle()
        # A command is copied, and a digest compared.
        while page.run("document.activeElement.dataset.copy !== 'check'"):
            page.key("Tab")
        page.key("Enter")
        page.until("document.getElementById('said').textContent === 'Copied'", "that it is copied")
        assert page.run("navigator.clipboard.readText()") == "cocos-cli checksum --manifest manifest.json"
        digest = page.run("document.getElementById('digest').textContent")
        for text, said in ((digest[:63], "63 characters"), ("sha3-256:" + digest.upper(), "The same 64 characters."),
                           (digest[:63] + ("0" if digest[63] != "0" else "1"), "group 8 differs")):
            page.run("document.getElementById('mine').focus(), document.getElementById('mine').select()")
            page.type(text)
            page.key("Enter")
            page.until(f"document.getElementById('mine-out').textContent.includes({said!r})", said)
        assert page.run("document.querySelectorAll('.dg .other').length") == 1 and not page.complaints()


def what_happens_is_shown_as_it_does():
    with Room() as room, agent_of(room.web.service, "covid-1") as agent:
        service, page = room.web.service, room.page
        until(connected(service, "covid-1"), "the connection")
        known = create(service, name="COVID-19", datasets=[cvms.Dataset(hash=b"d" * 32, userKey=KEYS[1], filename="h1.zip")])
        room.come_in()
        room.go("/c/" + known)
        page.until("document.getElementById('live').textContent === 'Live'", "the events' stream")
        assert page.run("document.querySelectorAll('#events li').length") == 0
        run(service, known, "covid-1")
        agent.manifest()
        agent.event(known, "ReceivingAlgorithm", "InProgress")
        page.until("document.querySelector('#status .state').textContent === 'Waiting for Algorithm'", "the state")
        page.until("document.getElementById('said').textContent === 'State: Waiting for Algorithm'", "the word for it")
        agent.log(known, "<img src=x onerror=alert(1)>", "<b>")
        page.until("document.querySelectorAll('#events li').length === 2", "the event and the line")
        assert page.run("document.querySelector('#events li .sub').textContent") == "<img src=x onerror=alert(1)>"
        assert page.run("document.querySelectorAll('#events img').length") == 0
        # Of one's own zone, which is here half an hour off the others'; UTC on hover.
        zones = page.run("[...document.querySelectorAll('#events time')].map((t) => [t.textContent, t.title, t.dateTime])")
        for text, title, moment in zones:
            assert title == moment and moment.endswith("Z")
            shown = page.run(f"new Date({moment!r}).toLocaleString(undefined, {{dateStyle: 'medium', timeStyle: 'medium'}})")
            assert text == shown and int(text.split(":")[1]) == (int(moment[14:16]) + 30) % 60, (text, moment)
        for number in range(100):
            agent.log(known, f"line {number}")
        page.until("document.querySelector('#events li .sub').textContent === 'line 99'", "the last line")
        assert page.run("document.querySelectorAll('#events li').length") == 60 and not page.complaints()
        page.picture("live")
        service.process.stop()
        page.until("document.getElementById('live').textContent.startsWith('Connecting again')", "that it is cut")


def what_still_comes_is_shown_as_it_is_now():
    """Numbers change in their places; what is there at all, the server says."""
    def report(*uploads, **used):
        return cvms.Progress(computation_id=known, attempt=1, run=cvms.RunProgress(**used) if used else None,
                             uploads=[cvms.UploadProgress(asset=1, received=r, expected=e) for r, e in uploads])

    def shows(told, condition, what):  # one that comes at once after another is told with the next
        until(lambda: agent.say(progress=told) or room.page.run(condition), what)

    with Room() as room, agent_of(room.web.service, "covid-1") as agent:
        page, bar = room.page, "document.querySelector('.going progress')"
        until(connected(room.web.service, "covid-1"), "the connection")
        known = create(room.web.service, name="COVID-19",
                       datasets=[cvms.Dataset(hash=b"d" * 32, userKey=KEYS[1], filename="h1.zip")])
        room.come_in()
        run(room.web.service, known, "covid-1")
        agent.manifest()
        agent.event(known, "ReceivingData", "InProgress")
        room.go("/c/" + known)
        page.until("document.getElementById('live').textContent === 'Live'", "the events' stream")
        shows(report((3000, 10000)), f"{bar}?.value === 3000", "the upload")
        page.run(f"window.first = {bar}")
        shows(report((7000, 10000)), f"{bar}?.value === 7000", "that it goes on")
        assert page.run(f"window.first === {bar} && window.first.max === 10000"), "it is in its place"
        assert page.run("document.querySelector('.going .sub').textContent") == "7.0 kB of 10.0 kB"
        used = {"memory_mib": 12, "memory_peak_mib": 40, "memory_limit_mib": 512, "processor_seconds": 3}
        shows(report((7000, 10000), **used), "document.getElementById('running')?.textContent.includes(' 3 s ')", "the run")
        used["processor_seconds"] = 4
        shows(report((7000, 10000), **used), "document.getElementById('running')?.textContent.includes(' 4 s ')", "its time")
        wrong = look(room, "going", "/c/" + known)
        assert not wrong, "\n".join(wrong[:40])
        page.until("document.getElementById('live').textContent === 'Live'", "the events' stream")
        shows(report(), "!document.querySelector('.going') && !document.getElementById('running')", "its end")
        assert not page.complaints()


def a_file_s_digest_is_computed_here():
    """By known answers, of pieces of all kinds; and nothing of the file leaves the browser."""
    with Room() as room:
        page = room.page
        room.come_in()
        room.go("/w/default/assets")
        known = {"": "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
                 "abc": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
                 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
                 "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376"}
        for text, digest in known.items():
            assert hashlib.sha3_256(text.encode()).hexdigest() == digest
            assert page.run(SHA3 + f"return hash(new TextEncoder().encode({text!r}), 1)" + "})") == digest, text
        for size in (1, 135, 136, 137, 271, 272, 273, 5000):
            wanted = hashlib.sha3_256(bytes((7 * i + size) & 255 for i in range(size))).hexdigest()
            for piece in (1, 7, 136, 200, 5000):
                got = page.run(SHA3 + f"return hash(Uint8Array.from({{ length: {size} }}, (_, i) => 7 * i + {size}), {piece})" + "})")
                assert got == wanted, (size, piece, got)
        before = page.run("performance.getEntriesByType('resource').map((one) => one.name)")
        for size in (0, 65536, 65537, 300000):  # of hashFile()'s pieces
            held = page.run("(() => { const all = new DataTransfer(), input = document.getElementById('f-file');"
                            f"all.items.add(new File([new Uint8Array({size}).fill(97)], 'h1.zip')); input.files = all.files;"
                            "input.dispatchEvent(new Event('change', { bubbles: true }));"
                            "return document.getElementById('f-digest').value; })()")
            assert held == "", held  # not the digest of the file before
            wanted = hashlib.sha3_256(b"a" * size).hexdigest()
            page.until(f"document.getElementById('f-digest').value === '{wanted}'", f"the digest of {size} bytes")
        page.until("document.getElementById('o-file').textContent === 'Computed here.'", "the word for it")
        after = page.run("performance.getEntriesByType('resource').map((one) => one.name)")
        assert {one.split("/")[-1] for one in after[len(before):]} <= {"sha3.js"}, after
        page.run("document.getElementById('f-name').focus()")
        page.type("h1.zip")
        page.key("Enter")
        page.until("document.querySelector('tbody a')?.textContent === 'h1.zip'", "the asset")
        assert not page.complaints()


SHA3 = """import("/sha3.js").then(({ Sha3 }) => {
    function hash(bytes, piece) {
        const sha3 = new Sha3();
        for (let at = 0; at < bytes.length; at += piece)
            sha3.update(bytes.subarray(at, at + piece));
        return sha3.hex();
    }
"""


if __name__ == "__main__":
    tap.run([every_screen_is_as_it_should_be, workspaces_cvms_are_as_they_should_be, billing_is_as_it_should_be, certificates_are_as_they_should_be, webhooks_are_as_they_should_be,
             workflows_are_as_they_should_be, what_becomes_of_a_workflow_is_shown_as_it_does, nothing_moves_while_it_comes, the_keyboard_is_enough,
             what_happens_is_shown_as_it_does, what_still_comes_is_shown_as_it_is_now, a_file_s_digest_is_computed_here])
