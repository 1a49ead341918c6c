# SPDX-License-Identifier: Apache-2.0
"""Workflows in the published form, and their orders as proto/workflows.proto has them, with an output."""
import json

OUTPUT = b"cocos-workflow-output-v1\0"
# The public half of the secret 1, 0, 0, …, with which the target opens.
OWN = bytes.fromhex("2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74")
ANNA, BERT = bytes([2]) * 32, bytes([3]) * 32


def node(name="a", *dependencies, **fields):
    conditions = {"executortype": fields.pop("kind", "t"), "dependencies": list(dependencies)}
    return {"nodename": name, "conditions": conditions, "funcname": "f", "kwargs": {}, "maxexectime": 600,
            "maxretries": 3, **fields}


def without(of, *names):
    return {name: value for name, value in of.items() if name not in names}


def text(*nodes):
    return json.dumps(nodes).encode()


CHAIN = text(node("a"), node("b", "a"))


def workflow_spec():
    guide = [node("r1:get_patent_data", kind="r1-hospital_executor", kwargs={"paillier-pubkey": "eyJuIjogIjQwNDI...."}),
             node("r2:get_patent_data", kind="r2-hospital_executor", kwargs={"paillier-pubkey": "eyJuIjogIjQwNDI...."}),
             node("cloud:sum_patent_data", "r2:get_patent_data", "r1:get_patent_data", kind="cloud-hospital-executor")]
    return {
        "guide": text(*guide), "one": text(node()), "chain": CHAIN, "none": b"[]", "object": b"{}", "number": b"[1]",
        "no-json": b"[", "deep-kwargs": text(node(kwargs={"a": [{"b": [None, 1.5, "c"]}]})),
        "many-kwargs": text(node(kwargs={str(i): i for i in range(65)})), "kwargs-array": text(node(kwargs=[])),
        "many": text(*(node(str(i)) for i in range(257))), "twice": text(node("a"), node("b"), node("a")),
        "wide": text(*(node(str(i), *(str(k) for k in range(i))) for i in range(92))),
        "unknown": text(node("a", "b")), "itself": text(node("a", "a")), "again": text(node("a"), node("b", "a", "a")),
        "circle": text(node("a", "c"), node("b", "a"), node("c", "b")), "null-dependency": text(node("a", None)),
        "no-name": text(without(node(), "nodename")), "bad-name": text(node("a b")), "long-name": text(node("a" * 65)),
        "longest-name": text(node("a" * 64)), "no-function": text(without(node(), "funcname")),
        "no-kwargs": text(without(node(), "kwargs")), "no-conditions": text(without(node(), "conditions")),
        "conditions-array": text(node(conditions=[])), "no-kind": text(node(conditions={"dependencies": []})),
        "no-dependencies": text(node(conditions={"executortype": "t"})), "more": text(node(more=1)),
        "no-time": text(without(node(), "maxexectime")), "time-0": text(node(maxexectime=0)),
        "time-long": text(node(maxexectime=604801)), "no-retries": text(without(node(), "maxretries")),
        "retries-17": text(node(maxretries=17)), "minus": text(node(maxretries=-1)),
        "too-long": b"[" + b" " * (256 << 10) + b"]",
    }


# ---- messages ----

def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def order(output=b"", keys=((ANNA,), (BERT, OWN)), **fields):
    values = {"spec": CHAIN, "nonce": b"n" * 32, "expires": 1800000000000, "submitter": b"k" * 44, "reply": b"r" * 32,
              "signature": b"s" * 64, **fields}
    message = b"".join(field(i, values[name]) for i, name in enumerate(("spec", "nonce", "expires", "submitter", "reply"), 1)
                       if values[name])
    message += b"".join(field(6, b"".join(field(1, key) for key in each)) for each in keys)
    message += field(7, values["signature"]) if values["signature"] else b""
    return len(message).to_bytes(2, "big") + message + output


def sealed(*recipients, length=17, label=OUTPUT):
    return (label + len(recipients).to_bytes(2, "big")
            + b"".join(key + bytes([9]) + bytes(31) + b"w" * 48 for key in recipients) + b"c" * length)


def ed25519(point):
    return bytes.fromhex("302a300506032b6570032100") + point


def workflow_order():
    good = sealed(OWN, BERT) if OWN < BERT else sealed(BERT, OWN)
    wide = [node("a")] + [node(f"b{i}", "a") for i in range(9)]
    eight = [bytes([i, k]) + bytes(30) for i in (1,) for k in range(1, 9)]
    return {
        "good": order(good), "keys-sorted": order(good, keys=((ANNA,), (OWN, BERT))), "no-output": order(),
        "output-cut": order(good[:-2]), "output-label": order(sealed(BERT, OWN, label=b"k" + OUTPUT[1:])),
        "output-one": order(sealed(BERT)), "output-others": order(sealed(ANNA, BERT)),
        "output-swapped": order(sealed(*sorted((BERT, OWN), reverse=True))), "output-short": order(sealed(BERT, OWN, length=15)),
        "own-alone": order(sealed(OWN), keys=((ANNA,), (OWN,))), "not-own": order(sealed(BERT), keys=((ANNA,), (BERT,))),
        "small-order": order(sealed(OWN), keys=((bytes([1]) + bytes(31),), (OWN,))),
        "end": order(sealed(b"r" * 32), spec=text(node()), keys=((ANNA,),)),
        "key": order(good, submitter=ed25519(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))),
        "no-spec": order(spec=b""), "nonce-short": order(nonce=b"n" * 31), "no-expires": order(expires=0),
        "no-submitter": order(submitter=b""), "submitter-long": order(submitter=b"k" * 2049), "no-reply": order(reply=b""),
        "reply-zeros": order(reply=bytes(32)), "no-signature": order(signature=b""),
        "keys-of-one": order(keys=((ANNA,),)), "no-keys": order(keys=((ANNA,), ())), "key-twice": order(keys=((ANNA,), (BERT, BERT))),
        "key-zeros": order(keys=((ANNA,), (bytes(32),))), "key-short": order(keys=((ANNA,), (BERT[:31],))),
        "nine-keys": order(keys=((ANNA,), [bytes([i]) * 32 for i in range(1, 10)])),
        "recipients": order(spec=text(*wide), keys=[(ANNA,)] + [[bytes([i]) + key[1:] for key in eight] for i in range(1, 10)]),
        "no-message": b"\0\1\xff", "nothing": b"",
    }


# ---- commands ----

SUBMIT, TAKE, RENEW, FINISH, FAIL, INPUT, CANCEL, WAIT, SWEEP, AGAIN, LEAVE, SUSPEND, DAMAGE = range(13)
ONE, LINE, FORK, FIRST_ALONE, SHORT = 0, 1, 2, 0x20, 0x40
SPOILT, BOTH, FINAL, OTHER_ID, OTHER_NODE, OTHER_ATTEMPT = 1, 2, 4, 0x10, 0x20, 0x40


def commands(*each):
    return b"".join(bytes((what, *rest, *(0 for _ in range(2 - len(rest))))) for what, *rest in each)


def workflow_calls():
    run = [(TAKE,), (RENEW,), (INPUT, 0, 0), (INPUT, 0, 1), (FINISH,)]
    lies = [(what, who, lie) for what in (RENEW, FINISH, FAIL, INPUT) for who in (0, 1)
            for lie in (SPOILT, BOTH, OTHER_ID, OTHER_NODE, OTHER_ATTEMPT)]
    return {
        "one": commands((SUBMIT, 0, ONE), *run), "line": commands((SUBMIT, 0, LINE), *(3 * run)),
        "fork": commands((SUBMIT, 1, FORK), *(4 * run)), "two": commands((SUBMIT, 0, ONE), (SUBMIT, 1, ONE), *(2 * run)),
        "both-executors": commands((SUBMIT, 0, FORK), (TAKE,), (TAKE, 1), (FINISH, 1), (FINISH,), *(2 * run)),
        "failed": commands((SUBMIT, 0, FORK), (TAKE,), (FAIL,), (TAKE,), (FAIL, 0, 1), (TAKE,), (FINISH,), *run),
        "failed-twice": commands((SUBMIT, 0, ONE), (TAKE,), (FAIL,), (FAIL,), (TAKE,), (FAIL,), (FAIL,)),
        "final": commands((SUBMIT, 0, LINE), (TAKE,), (FAIL, 0, 1), (TAKE,)),
        "cancelled": commands((SUBMIT, 0, LINE), *run, (TAKE,), (CANCEL,), (FINISH,), (CANCEL,)),
        "lost": commands((SUBMIT, 0, LINE), (TAKE,), (WAIT, 0, 61), (SWEEP,), (FINISH,), (TAKE, 1), (WAIT, 0, 61), (SWEEP,)),
        "slow": commands((SUBMIT, 0, ONE), (TAKE,), (WAIT, 0, 50), (RENEW,), (WAIT, 0, 45), (RENEW,), (FINISH,), (SWEEP,)),
        "expired": commands((SUBMIT, 0, LINE | SHORT), (TAKE,), (WAIT, 0, 121), (SWEEP,), (FINISH,)),
        "kept": commands((SUBMIT, 0, ONE), *run, (WAIT, 0, 135), (SWEEP,), (WAIT, 0, 255), (SWEEP,)),
        "again": commands((SUBMIT, 0, LINE), (TAKE,), (AGAIN,), (FINISH,), (TAKE,), (FINISH,), (TAKE,)),
        "held": commands((SUBMIT, 0, LINE), (TAKE,), (TAKE,), (FINISH,), (TAKE,), (FINISH, 0, FINAL)),
        "damaged": commands((SUBMIT, 0, ONE), (DAMAGE,), (TAKE,), (SUBMIT, 0, ONE), (TAKE,), (DAMAGE, 0, 1), (FAIL,),
                            (WAIT, 0, 61), (SWEEP,), (TAKE,), (FINISH,)),
        "damaged-and-lost": commands((SUBMIT, 0, FORK), (TAKE,), (DAMAGE,), (INPUT,), (WAIT, 0, 61), (SWEEP,), (TAKE,)),
        "left": commands((SUBMIT, 0, LINE), (TAKE,), (LEAVE,), (TAKE,), (TAKE, 1), (AGAIN,), (TAKE,)),
        "removed": commands((SUBMIT, 0, LINE), (TAKE,), (LEAVE, 0, 1), (SUBMIT, 0, ONE), (FINISH,), (SWEEP,), (TAKE,)),
        "suspended": commands((SUBMIT, 0, ONE), (SUSPEND, 0, 1), (TAKE,), (SUSPEND,), *run),
        "one-key": commands((SUBMIT, 0, LINE | FIRST_ALONE), (TAKE, 1), *run, (INPUT, 1, 0), (FINISH, 1)),
        "lies": commands((SUBMIT, 0, LINE), *run, (TAKE,), *lies),
        "many": commands(*(40 * [(SUBMIT, 0, ONE)]), (CANCEL,), (SUBMIT,), *run), "nothing": b"",
    }


TARGETS = [workflow_spec, workflow_order, workflow_calls]
