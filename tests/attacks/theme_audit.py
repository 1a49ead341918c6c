# SPDX-License-Identifier: Apache-2.0
"""An administrator of the computation service who wants something not to have been: he holds its database, or the file
that was saved, and an auditor verifies it with `cocos-cli audit verify` and a head that he saw before."""
import audit_book
from harness import Folder, cli
from rows import Outcome, row, shown

DEEDS = [{"time": 1795000000000 + n, "who": f"user u{n % 3}", "from": "[::1]:4711", "outcome": "OK",
          "what": "computations.ComputationService/Remove", "object": f"computation c-{n}"} for n in range(40)]
HONEST = audit_book.written(DEEDS)
HEAD = audit_book.head_text(audit_book.verified(HONEST)[1])


def judged(evil, change, check, *options):
    """What the auditor hears of the file with that change; to be told that it is whole is what is gained."""
    with Folder() as folder:
        path = folder.write("audit.jsonl", (change(HONEST) if evil else HONEST).decode())
        done = cli("audit", "verify", path, *options)
    taken = done.status == 0
    return Outcome(taken, "" if taken else shown(done.err, check), len(done.out))


def lines_of(data):
    return data.decode().split("\n")[:-1]


def joined(lines):
    return ("\n".join(lines) + "\n").encode()


@row("audit-without-one-row", "stands where row 8 has to")
def without_one(evil):
    """A row is taken out of the middle."""
    return judged(evil, lambda data: joined(lines_of(data)[:8] + lines_of(data)[9:]), "stands where row 8 has to")


@row("audit-without-one-row-renumbered", "does not fit")
def renumbered(evil):
    """A row is taken out, and those behind it get other numbers."""
    def change(data):
        kept = lines_of(data)[:8]
        for number, line in enumerate(lines_of(data)[9:-1], 8):
            kept.append(line.replace(f'"number":{number + 1},', f'"number":{number},'))
        return joined(kept + lines_of(data)[-1:])
    return judged(evil, change, "does not fit")


@row("audit-of-somebody-else", "row 12 does not fit")
def of_another(evil):
    """A row names another user."""
    def change(data):
        lines = lines_of(data)
        lines[12] = lines[12].replace('"who":"user u2"', '"who":"user u1"')
        return joined(lines)
    return judged(evil, change, "row 12 does not fit")


@row("audit-with-its-end-cut", "and the rows end with 30")
def cut(evil):
    """What came last is cut off, and the line that says where it ends kept."""
    return judged(evil, lambda data: joined(lines_of(data)[:31] + lines_of(data)[-1:]), "and the rows end with 30")


@row("audit-shortened-with-its-own-end", "the head that was given is row 40")
def shortened(evil):
    """What came last is cut off, and an end written that fits."""
    return judged(evil, lambda data: audit_book.written(DEEDS[:30]), "the head that was given is row 40", "--head", HEAD)


@row("audit-written-anew", "row 40 has another digest")
def anew(evil):
    """All of it is written again, without one deed, with digests that fit."""
    def change(data):
        deeds = DEEDS[:7] + [{**DEEDS[7], "who": "user u9"}] + DEEDS[8:]
        return audit_book.written(deeds)
    return judged(evil, change, "row 40 has another digest", "--head", HEAD)


@row("audit-in-other-bytes", "is not written as rows are")
def other_bytes(evil):
    """The same row with other white space, in which something could be hidden."""
    return judged(evil, lambda data: data.replace(b'"number":5,', b'"number": 5,'), "is not written as rows are")
