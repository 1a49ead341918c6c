# SPDX-License-Identifier: Apache-2.0
"""The table of managers, and what a manager says of CVMs."""
from seeds.parts import protobuf

HERE = b"manager here unix:/m agents=h:1\n"


def manager_table():
    ward = b"manager ward m.example:7 agents=s:1"
    mutual = ward + b" ca=/ca cert=/c key=/k"
    return {
        "all": b"# ours\n\n" + HERE + mutual + b" agents-ca=/a agents-cert=/b agents-key=/d\n"
               b"manager near 127.0.0.1:7 agents=[::1]:1\nlimit lab cvms=3 cpus=8 memory=4G cvm-hours=1 cpu-hours=2 memory-hours=3\n\tlimit * cvms=1\n"
               b"limit none cvms=0\n",
        "one": HERE + b"limit a cvms=1",
        "empty": b"# none\n",
        "other-word": b"host a\n",
        "bad-name": b"manager A unix:/m agents=h:1",
        "long-name": b"manager " + b"a" * 33 + b" unix:/m agents=h:1",
        "bad-address": b"manager a h agents=h:1",
        "short-socket": b"manager a unix:m agents=h:1",
        "long-address": b"manager a " + b"h" * 260 + b":1 agents=h:1",
        "no-agents": b"manager a unix:/m",
        "bad-agents": b"manager a unix:/m agents=unix:/x",
        "agents-twice": b"manager a unix:/m agents=h:1 agents=h:1",
        "bad-file": b"manager a unix:/m agents=h:1 ca=x",
        "file-twice": ward + b" ca=/a ca=/a",
        "bad-key": HERE[:-1] + b" port=1",
        "no-value": HERE[:-1] + b" ca",
        "no-ca": ward + b" cert=/c key=/k",
        "no-tls": ward,
        "key-alone": ward + b" ca=/a key=/k",
        "agents-key-alone": HERE[:-1] + b" agents-key=/k",
        "socket-ca": HERE[:-1] + b" ca=/a cert=/b key=/c",
        "name-twice": HERE + HERE,
        "address-twice": HERE + HERE.replace(b"here", b"there"),
        "many": b"".join(b"manager m%d unix:/%d agents=h:1\n" % (n, n) for n in range(17)),
        "limit-alone": b"limit",
        "limit-no-cvms": b"limit a cpus=1",
        "limit-bad": b"limit a cvms=01",
        "limit-no-hours": b"limit a cvms=1 cpu-hours=0",
        "limit-hours-twice": b"limit a cvms=1 cpu-hours=1 cpu-hours=1",
        "limit-no-value": b"limit a cvms",
        "limit-bad-key": b"limit a disk=1",
        "limit-bad-memory": b"limit a cvms=1 memory=x",
        "limit-twice": b"limit a cvms=1\n" * 2,
        "limit-many": b"".join(b"limit w%d cvms=1\n" % n for n in range(257)),
        "plans": HERE + b"plan a cvm-hours=1 cpu-hours=100000000 memory-hours=3\nplan b.c cpu-hours=1\n",
        "plan-alone": b"plan",
        "plan-name": b"plan A cpu-hours=1",
        "plan-nothing": b"plan a",
        "plan-cvms": b"plan a cvms=1",
        "plan-no-hours": b"plan a cpu-hours=0",
        "plan-twice": b"plan a cpu-hours=1\n" * 2,
        "plan-many": b"".join(b"plan p%d cpu-hours=1\n" % n for n in range(65)),
        "long": b"#" * 65537,
    }


def machine_said():
    """A byte before each: 1 for what was created; twice the kind of the manager's address."""
    ours, tag = "3b1f8a10-1111-4222-8333-000000000001", "cocos-" + "0" * 32

    def created(*fields, kind=0):
        return bytes([1 | kind << 1]) + protobuf(*fields)

    def vm(state, *more, name=tag, cvm=ours, kind=0):
        return bytes([kind << 1]) + protobuf((1, cvm), (2, name), (4, state), *more)

    port = (14, 7100)
    return {
        "created": created((1, "7100"), (2, ours)),
        "created-host": created((1, "7100"), (2, ours), (100, "10.0.0.3"), kind=1),
        "created-https": created((1, "7100"), (2, ours), kind=2),
        "created-http": created((1, "7100"), (2, ours), kind=3),
        "created-no-id": created((1, "7100")),
        "created-long-id": created((1, "7100"), (2, ours + "0")),
        "created-bad-id": created((1, "7100"), (2, ours.replace("b", "B"))),
        "created-no-port": created((1, "x"), (2, ours)),
        "created-big-port": created((1, "65536"), (2, ours)),
        "created-bad-host": created((1, "1"), (2, ours), (100, "$(id)")),
        "created-long-host": created((1, "1"), (2, ours), (100, "a" * 300)),
        "running": vm("running", port),
        "running-no-port": vm("running"),
        "running-since": vm("running", port, (6, 1793491200000), (11, 4), (12, 1 << 32)),
        "too-many-cpus": vm("running", port, (11, 4097)),
        "too-much-memory": vm("running", port, (12, (1 << 46) + 1)),
        "creating": vm("creating"),
        "removing": vm("removing", (5, "removed")),
        "lost": vm("lost"),
        "expired": vm("exited", (5, "expired")),
        "abandoned": vm("exited", (5, "abandoned")),
        "ended": vm("exited", (5, "ended")),
        "exited": vm("exited"),
        "bad-state": vm("on fire"),
        "other-name": vm("running", port, name="other"),
        "other-id": vm("running", port, cvm=ours.replace("3", "4")),
        "bad-id": vm("running", port, cvm="cvm-1"),
        "broken": b"\0\x0a\x05a",
        "nothing": b"\1",
    }


def usage_words():
    """A byte before each: 1 for a month, 0 for a place in a list."""
    months = {"month": "2026-11", "first": "1970-01", "last": "9998-12", "leap": "2028-02", "this": "", "thirteen": "2026-13",
              "letter": "2026-1x", "early": "1969-12", "slash": "2026/11", "long": "2026-111"}
    places = {"none": "", "idle": "12.0.", "of": "9" * 18 + ".1.c1.x", "others": "7.2.", "nowhere": ".1.x", "kind": "1.3.",
              "far": "9" * 19 + ".1.", "open": "1.1"}
    return {**{name: b"1" + text.encode() for name, text in months.items()},
            **{name: b"0" + text.encode() for name, text in places.items()}}


def list_place():
    """A byte before each: an order, of created, changed, name, state, type and role; or 'w' for an order's word."""
    tag, number = "00" * 16, "00" * 7 + "2a"
    words = {"newest": "", "name": "name", "down": "-name", "created": "created", "changed": "-changed", "state": "state",
             "type": "-type", "role": "role", "unknown": "id", "sign": "--name", "space": " name"}
    return {"created": b"\0" + (tag + number + "0000018f00000000").encode(),
            "changed": b"\1" + (tag + number + "FF" * 8).encode(),
            "by-name": b"\2" + (tag + number + "a name €".encode().hex()).encode(),
            "nameless": b"\2" + (tag + number).encode(),
            "name-longest": b"\2" + (tag + number + "61" * 512).encode(),
            "name-longer": b"\2" + (tag + number + "61" * 513).encode(),
            "name-bad": b"\2" + (tag + number + "c3").encode(),
            "name-zero": b"\2" + (tag + number + "6100").encode(),
            "by-state": b"\3" + (tag + number + "00" * 8).encode(),
            "by-type": b"\4" + (tag + number + "00" * 7 + "01").encode(),
            "by-role": b"\5" + (tag + number + b"viewer".hex()).encode(),
            "longer": b"\3" + (tag + number + "00" * 9).encode(),
            "shorter": b"\3" + (tag + number + "00" * 7).encode(),
            "others": b"\0" + ("01" + "00" * 15 + number + "00" * 8).encode(),
            "cut": b"\0" + (tag + "00").encode(),
            "odd": b"\0" + (tag + number + "0").encode(),
            "no-digits": b"\0c-5000",
            **{"word-" + name: b"w" + text.encode() for name, text in words.items()}}


def varint(value):
    out = b""
    while value > 0x7f:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def report(computation=b"c-1", attempt=1, uploads=(), run=None):
    """cvms.Progress: uploads are (asset, received, expected), run is (memory, peak, limit, processor)."""
    def numbers(values):
        inner = b"".join(bytes([8 * (i + 1)]) + varint(v) for i, v in enumerate(values))
        return varint(len(inner)) + inner
    return (b"\x0a" + varint(len(computation)) + computation + b"\x10" + varint(attempt) +
            b"".join(b"\x1a" + numbers(u) for u in uploads) + (b"\x22" + numbers(run) if run else b""))


def run_progress():
    """A byte: how long the first of two reports is."""
    far, used = (1 << 50) + 1, (10, 20, 30, 40)
    pairs = {
        "good": (report(), report(uploads=[(0, 5, 10), (1, 5, 0), (256, 0, 0)], run=used)),
        "rises": (report(run=used), report(run=(30, 31, 30, 41))),
        "processor": (report(run=used), report(run=(10, 20, 30, 39))),
        "peak": (report(run=used), report(run=(10, 19, 30, 40))),
        "attempt": (report(run=used), report(attempt=2, run=(1, 1, 1, 1))),
        "another": (report(run=used), report(b"c-2", run=(1, 1, 1, 1))),
        "ended": (report(run=used), report()),
        "over-peak": (b"", report(run=(21, 20, 30, 40))),
        "nameless": (b"", report(b"")), "long": (b"", report(b"x" * 256)),
        "twice": (b"", report(uploads=[(1, 1, 0), (1, 1, 0)])), "asset": (b"", report(uploads=[(257, 1, 0)])),
        "many": (b"", report(uploads=[(n, 1, 0) for n in range(258)])),
        "more": (b"", report(uploads=[(1, 11, 10)])), "received": (b"", report(uploads=[(1, far, 0)])),
        "expected": (b"", report(uploads=[(1, 1, far)])), "far": (b"", report(run=(far, far, 1, 1))),
    }
    return {name: bytes([len(first)]) + first + second for name, (first, second) in pairs.items()}


def jail_usage():
    """/proc/PID/stat, or a packet."""
    line = b"7 (%s) S 1 7 7 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 99\n"
    return {"plain": line % b"sh", "hostile": line % b"a) S 1 (b", "cut": (line % b"sh")[:40], "letters": b"7 (sh) S" + b" x" * 20,
            "packet": b"".join(n.to_bytes(8, "big") for n in (5, 7, 9)), "most": b"\xff" * 24, "long": b"\0" * 25, "none": b""}


TARGETS = [manager_table, machine_said, usage_words, list_place, run_progress, jail_usage]
