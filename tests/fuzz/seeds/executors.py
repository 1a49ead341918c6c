# SPDX-License-Identifier: Apache-2.0
"""What executors of workflows are shown, and sealed messages."""
import json

from seeds.parts import protobuf

# X25519 of 32 bytes of 1 and of 2: the executor of the target, and its peer.
OWN = bytes.fromhex("a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209")
PEER = bytes.fromhex("ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59")
AS_IT_IS, SIGNED, RULES = b"\0", b"\1", b"\2"


def node(name, after=(), kind="home", function="work", retries=1):
    return {"nodename": name, "conditions": {"executortype": kind, "dependencies": list(after)}, "funcname": function,
            "kwargs": {"x": [1]}, "maxexectime": 5, "maxretries": retries}


def order(*nodes, keys=None, expires=2000000, **other):
    fields = {1: json.dumps(nodes, separators=(",", ":")).encode(), 2: bytes(32), 3: expires, 4: b"spki", 5: PEER,
              7: b"signature"}
    fields.update({int(number[1:]): value for number, value in other.items()})
    rows = [(number, value) for number, value in sorted(fields.items())]
    return protobuf(*rows, *[(6, protobuf(*[(1, key) for key in row])) for row in keys or [[PEER], [OWN]]])


def taken(of, number=1, attempt=1, inputs=((0, 1, PEER),), name="0" * 64, left=600, **other):
    fields = {1: 1, 2: name, 3: number, 4: attempt, 5: of, 6: 30, 7: left}
    fields.update({int(key[1:]): value for key, value in other.items()})
    return protobuf(*sorted((k, v) for k, v in fields.items() if v is not None),
                    *[(8, protobuf((1, n), (2, a), (3, key), (4, 100))) for n, a, key in inputs])


def executor_node():
    two = [node("first", kind="peer"), node("last", ["first"])]
    whole = order(*two)
    return {
        "good": SIGNED + taken(whole),
        "unsigned": AS_IT_IS + taken(whole),
        "no_order": SIGNED + taken(None),
        "other_id": SIGNED + taken(whole, name="x"),
        "expired": SIGNED + taken(order(*two, expires=5)),
        "other_type": SIGNED + taken(whole, number=0, inputs=()),
        "other_key": SIGNED + taken(order(*two, keys=[[PEER], [PEER]])),
        "no_node": SIGNED + taken(whole, number=2),
        "other_function": SIGNED + taken(order(two[0], node("last", ["first"], function="sh"))),
        "attempt_0": SIGNED + taken(whole, attempt=0),
        "attempt_2": SIGNED + taken(whole, attempt=2),
        "attempt_3": SIGNED + taken(whole, attempt=3),
        "no_inputs": SIGNED + taken(whole, inputs=()),
        "two_inputs": SIGNED + taken(whole, inputs=((0, 1, PEER), (0, 1, PEER))),
        "other_input": SIGNED + taken(whole, inputs=((1, 1, PEER),)),
        "input_attempt_3": SIGNED + taken(whole, inputs=((0, 3, PEER),)),
        "input_attempt_0": SIGNED + taken(whole, inputs=((0, 0, PEER),)),
        "input_of_own": SIGNED + taken(whole, inputs=((0, 1, OWN),)),
        "input_short_key": SIGNED + taken(whole, inputs=((0, 1, PEER[:31]),)),
        "input_dot": SIGNED + taken(order(node("..", kind="peer"), node("last", [".."]))),
        "other_recipient": SIGNED + taken(order(*two, _5=OWN)),
        "no_time": SIGNED + taken(whole, left=0),
        "little_time": SIGNED + taken(whole, left=2),
        "rules": RULES + b"work=/bin/true\n" + b"00" * 32,
        "rules_relative": RULES + b"work=true\n00",
        "rules_name": RULES + b"a b=/bin/true\n" + b"xx" * 32,
        "rules_none": RULES,
    }


def hpke():
    """Of RFC 9180, appendix A.2: for nobody here."""
    enc = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    text = bytes.fromhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")
    return {
        "base": b"\x0e" + b"context" + enc + text,
        "auth": b"\x0f" + b"context" + enc + text,
        "from": b"\x00" + PEER + enc + text,
        "small_order": b"\x00" + bytes(32) + text,
        "from_small_order": b"\x00" + bytes(32) + enc + text,
        "no_tag": b"\x00" + enc + bytes(15),
        "nothing": b"\x01" + enc + bytes(16),
        "short": b"\x01" + enc[:31],
        "no_context": b"\x20" + b"few",
    }


TARGETS = [executor_node, hpke]
