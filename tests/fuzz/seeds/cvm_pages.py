# SPDX-License-Identifier: Apache-2.0
"""CVMs of workspaces on the page, as fuzz_web_machines.c has them, and what managers say meanwhile (managers_played.h)."""
import json

from seeds.browsers import CERTIFICATE, FORM, JSON, SESSION, SIGN_IN, SITE, UNIX, asked
from seeds.parts import u16
from seeds.texts import manifest_text

OPERATOR, ADMINISTRATOR, MEMBER, VIEWER, OUTSIDER = range(5)
HONEST, DOWN, LOSES, REFUSES, DOUBTS, ENDS, GOES, SILENT, CUT, TWICE, SLOW, LIES = range(12)
REMOVED, ENDED, FAILED, EXPIRED, ABANDONED, INTERRUPTED, UNSAID = range(7)
CREATING, LOST, REMOVING = range(3)
# Codes of gRPC, as a word has them: one less.
EXISTS, NOT_FOUND, PRECONDITION, INVALID, UNIMPLEMENTED, UNKNOWN, INTERNAL, UNAUTHENTICATED = 5, 4, 8, 2, 11, 1, 12, 15
RESTART = bytes([4])
PLACE, HIDDEN = "default", "hidden-7f3a"
PAGES, API = f"/w/{PLACE}/cvms", f"/api/workspaces/{PLACE}/cvms"


def request(*args, **how):
    return b"\0" + asked(*args, **how)


def get(target, *headers, **how):
    return request("GET", target, *(headers or (SESSION,)), **how)


def sent(target, body="", **how):
    return request("POST", target, FORM, SITE, SESSION, body="csrf=\1c" + "&" * bool(body) + body, **how)


def api(method, target, body=None, *headers, **how):
    text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    return request(method, target, JSON, *headers, body=text or b"", **{"way": UNIX, **how})


def make(name="m", **wish):
    return api("PUT", f"{API}/{name}", {"manager": "here", "cpus": 1, "memory": 1 << 30, **wish})


def remove(name="m", force=False, **how):
    return api("DELETE", f"{API}/{name}" + "?force=true" * force, **how)


def wait(seconds=None, minutes=None):
    return bytes([1, seconds if seconds is not None else minutes + 127])


def agent(number, place=0):
    return bytes([2, 16 * place + number])


def gone(place=0):
    return bytes([3, place])


def done(fetched=False):
    return bytes([5, fetched])


def words(*said):
    return b"".join(bytes([word]) if isinstance(word, int) else bytes(word) for word in said)


def run(*commands, said=b"", who=OPERATOR, flags=SIGN_IN):
    return bytes([flags, who]) + u16(len(said)) + said + b"".join(commands)


def cvm(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


def web_machines():
    new, one = f"/w/{PLACE}/new-cvm", f"{PAGES}/m"
    shown = (get(PAGES), get(one), api("GET", API), api("GET", f"{API}/m"))
    form = "name=m&manager=here&tee=snp&image=stock&cpus=2&memory=1&hours=3"
    ask = get(f"{one}/remove")
    kept = api("POST", "/api/computations", manifest_text(id=HIDDEN))
    given = api("POST", f"/api/computations/{HIDDEN}/run", {"cvm": cvm(1), "unverified": True})
    for_run = api("POST", f"/api/computations/{HIDDEN}/run", {"new_cvm": True, "manager": "here", "cpus": 1, "memory": 1 << 30})
    later = (wait(seconds=2), wait(seconds=7))
    minutes = [wait(minutes=2)] * 4
    fleet = make(manager="east")

    def failing(name, numbers, *before, request_of, after=()):
        return {f"{name}-fails-{number}": run(*before, request_of(fails=number), *after) for number in numbers}

    return {
        # made, seen, removed
        "form": run(get(PAGES), get(new), sent(new, form), *shown, *later, agent(1), *shown, ask,
                    sent(f"{one}/remove", "revision=\1u"), *shown),
        "form-removed": run(get(new), sent(new, form), ask, sent(f"{one}/remove"), *shown, get(f"{one}/remove"), wait(seconds=9)),
        "form-wrong": run(get(new), *(sent(new, f"name=m&{wish}") for wish in (
            "manager=none", "manager=here", "manager=here&cpus=9&memory=1", "manager=here&cpus=x", "manager=here&cpus=4097",
            "manager=here&memory=65537&cpus=1", "manager=here&hours=87601", "manager=here&tee=" + "t" * 129, "name=m", "more=1")),
            sent(new, "name=-m&manager=here&cpus=1&memory=1"), sent(new, "name=" + "m" * 64 + "&manager=here&cpus=1&memory=1"), get(PAGES)),
        "form-other": run(get(new), request("POST", new, FORM, SITE, SESSION, body=form), get(PAGES)),
        "api": run(make(tee="tdx", ttl_ms=60000, image="i"), *shown, make(), agent(1), *later, *shown, remove(), *shown, make(), *shown),
        "api-wrong": run(make(manager="none"), make(cpus=0), make(memory=1 << 47), make(cpus=4097), make(ttl_ms=1 << 60),
                         api("PUT", f"{API}/m", {"more": 1}), api("PUT", f"{API}/m", b"{"), api("PUT", f"{API}/-", {}), remove(),
                         api("PUT", "/api/workspaces/nowhere/cvms/m", {}), remove("none")),
        "api-revision": run(make(), *shown, api("DELETE", f"{API}/m", None, 'if-match: "0"'), *shown),
        "quota": run(*(make(f"m{number}", cpus=2) for number in range(6)), *shown, remove("m0"), make("m9", cpus=2), make("m9", cpus=3)),
        "quota-memory": run(make(memory=7 << 30), make("n", memory=2 << 30), make("o", memory=1 << 30)),
        "quota-hours": run(make(cpus=8), agent(1), *[wait(minutes=20)] * 8, *shown, wait(seconds=9), *shown),
        "many": run(*(command for number in range(12) for command in (make(f"m{number}"), remove(f"m{number}"))), get(PAGES)),
        "lists": run(make(), *(get(f"{PAGES}?after={text}") for text in ("0", "1", "x", "9" * 19)), get(f"{PAGES}?more=1"),
                     api("GET", f"{API}?after=0")),
        "gone-many": run(*[command for number in range(15) for command in (make(f"m{number}"), api("PUT", f"{API}/m{number}", {}))],
                         get(PAGES), said=words(*[[REFUSES, INVALID], HONEST] * 15)),
        "elsewhere": run(get("/w/nowhere/cvms"), get("/w/nowhere/cvms/m"), get("/w/nowhere/new-cvm"), get(f"{PAGES}/none"),
                         get(PAGES, "x: y"), get(PAGES, way=CERTIFICATE), api("GET", "/api/workspaces/nowhere/cvms")),
        "no-tee": run(make(tee="none"), *later, get(one), make("n", tee="snp"), get(f"{PAGES}/n")),
        # what managers say
        "down": run(make(), *later, *shown, remove(), *later, said=words(DOWN, DOWN, DOWN)),
        "loses": run(make(), *later, *shown, remove(), *later, *shown, said=words(LOSES, HONEST, HONEST, LOSES)),
        "loses-and-goes": run(make(), remove(), *later, *shown, said=words(LOSES)),
        "refuses": run(make(), *shown, said=words([REFUSES, INVALID])),
        **{f"refuses-{code}": run(make(), *shown, said=words([REFUSES, code])) for code in (UNKNOWN, INTERNAL, UNAUTHENTICATED)},
        "doubts": run(make(), *later, *shown, said=words([DOUBTS, INVALID])),
        "exists": run(make(), *later, *shown, said=words([REFUSES, EXISTS])),
        "refuses-twice": run(make(), *later, *shown, said=words([REFUSES, INVALID], [REFUSES, INVALID])),
        "silent": run(make(), *later, remove(), *later, *shown, said=words(SILENT, SILENT, SILENT, SILENT)),
        "cut": run(make(), *later, remove(), *later, *shown, said=words(CUT, CUT, HONEST, CUT)),
        "twice": run(make(), *later, remove(), said=words(*[TWICE] * 6)),
        "slow": run(make(), *later, *later, *shown, said=words([DOUBTS, EXISTS], [SLOW, CREATING], [SLOW, LOST], [SLOW, REMOVING])),
        **{f"ended-{reason}": run(make(), agent(1), *later, *shown, *later, said=words(HONEST, HONEST, [ENDS, reason]))
           for reason in range(7)},
        **{f"ended-new-{reason}": run(make(), *later, *shown, said=words(LOSES, [ENDS, reason])) for reason in range(7)},
        **{f"ended-leaving-{reason}": run(make(), remove(), *later, *shown, said=words(HONEST, [ENDS, reason])) for reason in (0, 1, 3)},
        "unknown": run(make(), *later, *shown, said=words(HONEST, [REFUSES, NOT_FOUND])),
        "unknown-here": run(make(), agent(1), *later, *shown, said=words(HONEST, [REFUSES, NOT_FOUND])),
        "unknown-leaving": run(make(), remove(), *shown, *later, remove(force=True), *later, *shown,
                               said=words(HONEST, *[[REFUSES, NOT_FOUND]] * 8)),
        "unasked": run(make(), *later, *shown, said=words(HONEST, *[[REFUSES, UNIMPLEMENTED]] * 2)),
        "unasked-leaving": run(make(), remove(), *shown, *later, ask, remove(force=True), *later, *shown,
                               said=words(HONEST, *[[REFUSES, UNKNOWN], [REFUSES, UNIMPLEMENTED]] * 8)),
        "unasked-here": run(make(), agent(1), remove(), *shown, *later, gone(), *later, remove(force=True), *shown,
                            said=words(HONEST, *[[REFUSES, UNKNOWN], [REFUSES, UNIMPLEMENTED]] * 8)),
        "unremoved": run(make(), remove(), *shown, *later, said=words(HONEST, *[[REFUSES, UNKNOWN], HONEST] * 4)),
        **{f"code-{code}": run(make(), *later, remove(), *later, *shown,
                               said=words([REFUSES, code], *[[REFUSES, code]] * 6)) for code in range(16)},
        **{f"lies-{how}": run(make(), *later, get(f"{one}/policy"), remove(), *later, *shown,
                              said=words(*[[LIES, how]] * 6)) for how in range(1, 5)},
        "lies-id": run(make(), make("n"), agent(1), *later, *shown, said=words(
            HONEST, [LIES, 5, 0, 44], b"\x0a\x046100\x12\x24" + cvm(1).encode(), HONEST)),
        "lies-address": run(make(), *later, *shown, said=words([LIES, 5, 0, 51], b"\x0a\x0261\x12\x24" + cvm(7).encode(),
                                                               b"\xa2\x06\x06<h>\"& ")),
        # a fleet
        "fleet": run(fleet, *later, *minutes, get(one), remove(), *minutes, said=words(HONEST, GOES)),
        "fleet-other": run(make(manager="west"), *later, *minutes, *shown, remove(), *minutes, *shown, said=words(HONEST, HONEST, GOES)),
        "fleet-back": run(fleet, *[wait(minutes=1)] * 14, *shown, *[wait(minutes=61)] * 4, said=words(HONEST, *[GOES, HONEST] * 12)),
        "fleet-down": run(fleet, *minutes, *shown, said=words(DOWN, DOWN, HONEST)),
        "fleet-moves": run(fleet, *later, *minutes, *shown, said=words(DOWN)),
        "fleet-lost": run(fleet, *minutes, *shown, said=words(LOSES, DOWN, HONEST)),
        "fleet-cut": run(fleet, *minutes, *minutes, said=words(HONEST, DOWN, CUT, DOWN, [REFUSES, INVALID])),
        "fleet-any": run(make(manager=""), make("n", manager="ward"), *shown),
        # policies
        "policy": run(make(), get(f"{one}/policy"), api("GET", f"{API}/m/policy"), remove(), get(f"{one}/policy"), get(f"{PAGES}/n/policy")),
        "policy-none": run(make(), get(f"{one}/policy"), *later, said=words(DOWN, DOWN)),
        "policy-codes": run(make(), *[get(f"{one}/policy")] * 4, said=words(
            HONEST, [REFUSES, NOT_FOUND], [REFUSES, INVALID], [REFUSES, UNIMPLEMENTED], SILENT)),
        "policy-cut": run(make(), get(f"{one}/policy"), get(f"{one}/policy"), said=words(HONEST, CUT, TWICE)),
        "policy-corim": run(make(), get(f"{one}/policy"), said=words(HONEST, [LIES, 5, 0, 4], b"\x0a\x02\xd9\x01")),
        "policy-bad": run(make(), *[get(f"{one}/policy")] * 3, said=words(
            HONEST, [LIES, 5, 0, 4], b"\x0a\x02{}", [LIES, 5, 0, 0], [LIES, 5, 0, 3], b"\x12\x01x")),
        "policy-leaves": run(make(), get(f"{one}/policy", leaves=True), get(f"{one}/policy")),
        # computations in them, and those that are made for one
        "held": run(kept, make(), agent(1), *later, given, *shown, ask, remove(), remove(force=True), *shown),
        "held-lost": run(kept, make(), agent(1), *later, given, *later, *shown, said=words(HONEST, HONEST, [ENDS, ENDED])),
        **{f"held-{who}": run(kept, make(), agent(1), *later, given, get(PAGES), get(one), ask, sent(f"{one}/remove"),
                              request("GET", API, SESSION), request("GET", f"{API}/m", SESSION), who=who) for who in range(1, 5)},
        "run": run(kept, get(f"/c/{HIDDEN}/run-new"), for_run, *shown, *later, agent(1), *later, get(PAGES), wait(minutes=40), wait(minutes=40),
                   *shown),
        **{f"run-page-{who}": run(kept, for_run, get(PAGES), get(f"{PAGES}/\1m"), get(f"{PAGES}/\1m/remove"), *later, agent(1), *later,
                                  get(f"{PAGES}/\1m"), who=who) for who in range(4)},
        "run-results": run(kept, for_run, *later, agent(1), *later, get(f"{PAGES}/\1m"), done(), *later, wait(minutes=50), wait(minutes=20),
                           *later, get(f"{PAGES}/\1m")),
        "run-done": run(kept, for_run, *later, agent(1), *later, done(), *later, done(True), *later, *minutes, *shown),
        "run-wrong": run(kept, *(api("POST", f"/api/computations/{HIDDEN}/run", wish) for wish in (
            {"new_cvm": True, "cvm": cvm(1)}, {"cpus": 1}, {"new_cvm": True, "keep_ms": 1}, {"new_cvm": True, "image": "i" * 129},
            {"new_cvm": True, "memory": 1 << 60}, {"new_cvm": True, "manager": "none"}))),
        "run-given": run(kept, for_run, *later, agent(1), api("POST", f"/api/computations/{HIDDEN}/run", {"cvm": cvm(1)})),
        "held-strange": run(kept, agent(1), given, make(), *later, *shown, for_run, *later, *shown),
        "run-never": run(kept, for_run, *later, *[wait(minutes=31)] * 3, *shown),
        "run-stopped": run(kept, for_run, *later, api("POST", f"/api/computations/{HIDDEN}/stop", {}), *later, *shown),
        "run-twice": run(kept, for_run, for_run, *later),
        "run-refused": run(kept, for_run, *later, get(PAGES), said=words([REFUSES, INVALID])),
        **{f"run-{who}": run(kept, for_run, *later, get(PAGES), request("GET", API, SESSION), who=who) for who in range(1, 5)},
        # who may
        **{f"who-{who}": run(make(), get(PAGES), get(new), sent(new, form.replace("=m", "=n")), get(one), get(f"{one}/policy"), ask,
                             sent(f"{one}/remove"), request("DELETE", f"{API}/m", SITE, SESSION), who=who) for who in range(1, 5)},
        # a service that begins again
        "again": run(make(), make("n"), RESTART, *later, *shown, RESTART, remove(), RESTART, *later, *shown),
        "again-lost": run(make(), RESTART, *later, *shown, said=words(LOSES)),
        "again-leaving": run(make(), remove(), RESTART, *later, *shown, said=words(HONEST, DOWN)),
        "again-doubt": run(make(), RESTART, *later, *shown, said=words([DOUBTS, INVALID], DOWN)),
        "strange-agent": run(agent(1), make(), *later, *shown, agent(2, 1), make("n"), *shown),
        "leaves": run(api("PUT", f"{API}/m", {"manager": "here", "cpus": 1, "memory": 1}, leaves=True), *shown, remove(leaves=True)),
        **failing("make", range(1, 40, 3), request_of=lambda **how: api(
            "PUT", f"{API}/m", {"manager": "here", "cpus": 1, "memory": 1}, **how), after=(*later, *shown)),
        **failing("remove", range(1, 40, 3), make(), request_of=lambda **how: remove(**how), after=(*later, *shown)),
        **failing("show", (1, 3, 5, 7), make(), request_of=lambda **how: get(one, **how)),
        **failing("list", (1, 3, 5, 7), make(), request_of=lambda **how: get(PAGES, **how)),
        **failing("policy", (1, 3, 5), make(), request_of=lambda **how: get(f"{one}/policy", **how)),
    }


TARGETS = [web_machines]
