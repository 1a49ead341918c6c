#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More of the page in a real browser: forms that change with what is chosen in them."""
import contextlib
import json

import tap
from computations_service import create
from harness import Folder, authority, read
from people import Caller
from sign_in import PASSWORD
from web_browser import Room, look, walk
from web_progress import Run

# A file that somebody chose, in the field beside another.
CHOOSE = """(([id, name, text]) => {
    const all = new DataTransfer(), input = document.getElementById(id);
    all.items.add(new File([text], name));
    input.files = all.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
})"""
SHOWN = "[...document.querySelectorAll('textarea')].filter((e) => e.checkVisibility()).map((e) => e.name)"
SAID = "document.querySelector('[data-pem=\"f-{}\"] output').textContent"
MODES = {"none": [], "tls": ["cert", "key", "server_ca"], "mtls": ["cert", "key", "client_ca", "server_ca"],
         "attested": ["cert", "key", "server_ca"], "mutual": ["cert", "key", "client_ca", "server_ca"]}


def choose(page, field, name, text):
    page.run(f"{CHOOSE}({json.dumps([field, name, text])})")


def a_mode_has_its_fields():
    """Of a new computation: those that it takes, with what they are for; PEM files are read here, each into its field."""
    with Folder() as folder, Room() as room:
        page, pem = room.page, {name: read(authority(folder)(name + ".pem")).decode() for name in ("server", "server-key", "ca")}
        page.size(1440)
        room.come_in()
        room.go("/new")
        assert page.run("document.getElementById('f-security').value") == "attested"
        wrong = []
        for mode, fields in MODES.items():
            page.run(f"document.getElementById('f-security').value = '{mode}'")
            page.until(f"JSON.stringify({SHOWN}) === JSON.stringify({fields})", "the fields of " + mode)
            told = page.run("[...document.querySelectorAll('p.of-mode')].filter((e) => e.checkVisibility()).map((e) => e.className)")
            assert told == ["hint of-mode for-" + mode], told
        # A file of another kind is left out, and said; what stands in a field stays in sight whatever is chosen.
        for field, name, text, said in (("key", "server.pem", pem["server"], "It has: certificate. A private key belongs here."),
                                        ("cert", "server-key.pem", pem["server-key"], "It has: private key. A certificate belongs here."),
                                        ("cert", "both.pem", pem["server"] + pem["server-key"], "It has: certificate, private key. A certificate belongs here."),
                                        ("client_ca", "notes.txt", "<b>no</b>", "No PEM file of at most 64 KiB."),
                                        ("cert", "large.pem", pem["server"] + " " * 65536, "No PEM file of at most 64 KiB.")):
            choose(page, "p-" + field, name, text)
            page.until(f"{SAID.format(field)} === {said!r}", said)
            assert page.run(f"document.getElementById('f-{field}').value") == ""
        choose(page, "p-client_ca", "ca.pem", pem["ca"])
        page.until(f"{SAID.format('client_ca')}.startsWith('1 × certificate')", "the authority")
        page.run("document.getElementById('f-security').value = 'none'")
        page.until(f"JSON.stringify({SHOWN}) === '[\"client_ca\"]'", "what stands in a field")
        page.run("document.getElementById('f-security').value = 'mutual'")
        for field, name in (("cert", "server"), ("key", "server-key")):
            choose(page, "p-" + field, name + ".pem", pem[name])
            page.until(f"{SAID.format(field)}.startsWith('1 × ')", name)
        # Before it gets another size: what moves by that counts as moved by nobody after half a second.
        assert page.run("window.seen.shifts.filter((s) => !s.input)") == []
        for width in (320, 1440):
            for scheme in ("light", "dark"):
                page.scheme(scheme)
                page.size(width)
                page.picture(f"new-mutual-{width}-{scheme}")
        # Sent as it is, with nothing else: what is missing is said, the files are there again, and the key is not.
        page.run("document.querySelector('main form').noValidate = true, document.querySelector('main form').requestSubmit()")
        page.until("document.querySelector('[role=alert]') !== null && document.readyState === 'complete'", "the refusal")
        assert page.run("document.getElementById('f-cert').value") == pem["server"]
        assert page.run("document.getElementById('f-key').value") == "" and "once more" in page.run("document.getElementById('h-key').textContent")
        page.picture("new-again")
        wrong += [c for c in page.complaints() if "400" not in c]
        room.go("/new")
        walk(page)
        wrong += look(room, "new", "/new")
        assert not wrong, "\n".join(wrong[:40])


def what_a_run_has_had_is_shown_as_it_comes():
    """By the journal alone, which brings no line to the list of events; nothing else moves."""
    with Room() as room, contextlib.ExitStack() as stack:
        page = room.page
        page.size(1440)
        room.come_in()
        run = Run(room.web.service, "c")
        stack.enter_context(run.agent)
        room.go("/c/c")
        page.until("document.getElementById('live').textContent === 'Live'", "the events' stream")
        run.bring()
        page.until("document.querySelectorAll('#progress .state.plain').length === 5", "the journal")
        wrong, run.book.time = [], 1700000000000
        for kind, key, more in (("algorithm", 0, {"size": 999, "digest": b"a" * 32}),
                                ("dataset", 1, {"name": "h1.zip", "size": 4_131_000, "digest": b"1" * 32}), ("delivery", 1, {})):
            before = page.run("document.querySelectorAll('#progress .state.done').length")
            top = page.run("document.getElementById('h-progress').getBoundingClientRect().top")
            run.comes(kind, key, **more)
            run.bring()
            page.until(f"document.querySelectorAll('#progress .state.done').length === {before + 1}", kind)
            assert page.run("document.getElementById('h-progress').getBoundingClientRect().top") == top
        # Where somebody is in it, it stays as it is until he has left.
        page.run("document.querySelector('#progress pre').focus()")
        run.comes("delivery", 0)
        run.bring()
        run.agent.log("c", "a line")
        page.until("document.querySelector('#events li .sub')?.textContent === 'a line'", "the line")
        assert page.run("document.querySelectorAll('#progress .state.done').length") == 3
        wrong += look(room, "progress", "/c/c")
        room.page.size(360)
        room.go("/c/c")
        walk(page)
        assert not wrong, "\n".join(wrong[:40])


def a_member_leaves_by_hand():
    """Signed in; who has to stay is told why, and nothing is offered."""
    with Room() as room:
        page, root = room.page, Caller(room.web.service.channel)
        for name in ("anna", "bert"):
            root("AddUser", name=name)
        root("SetMember", workspace="default", user="bert", role="administrator")
        create(room.web.service, id="c")
        root("GiveRole", computation_id="c", role="viewer", user="anna")
        wrong = []
        for name in ("bert", "anna"):
            root("SetPassword", user=name, password=PASSWORD)
            room.go("/sign-in")
            for field, text in (("name", name), ("password", PASSWORD)):
                page.run(f"document.getElementById('f-{field}').focus()")
                page.type(text)
            page.key("Enter")
            page.until("location.pathname === '/' && document.readyState === 'complete'", "the list")
            room.base = page.run("location.origin")
            for screen in ("members", "leave"):
                wrong += look(room, f"{screen}-{name}", "/w/default/" + screen)
                for width in (320, 1440):
                    page.size(width)
                    room.go("/w/default/" + screen)
                    walk(page)
            if name == "bert":
                assert page.run("document.querySelector('main form') === null && document.body.textContent.includes('only administrator')")
                room.base = f"http://localhost:{room.web.port}"
        while page.run("document.activeElement.textContent") != "Leave it":
            page.key("Tab")
        page.key("Enter")
        page.until("location.pathname === '/workspaces' && document.readyState === 'complete'", "the list of workspaces")
        assert [m.user for m in root("ListMembers", workspace="default").members] == ["bert"] and not page.complaints()
        assert not wrong, "\n".join(wrong[:40])


if __name__ == "__main__":
    tap.run([a_mode_has_its_fields, what_a_run_has_had_is_shown_as_it_comes, a_member_leaves_by_hand])
