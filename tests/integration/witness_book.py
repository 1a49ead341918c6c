#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The log of journals' heads of docs/journal.md, written and verified from that page and RFC 9162 alone: trees are
computed from all of their leaves, by the recursive definitions."""
import hashlib

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from journal_book import Wrong, decoded, encoded

PROTECTED = {1: -7, 3: "application/cocos-journal-log-head+cbor"}
AAD = b"cocos-journal-log-v1"
PATH_MAX, LEAVES_MAX = 33, 1 << 32


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_bytes(computation, run, count, digest):
    return encoded([computation, run, count, digest])


def audited(leaves, size, of_root, old=0, old_root=b""):
    """Whether leaves that come one after the other are those of a head, and begin with those of an older one: each
    subtree that is complete is kept, the largest first, and with each new leaf two of one height become one."""
    subtrees, seen = [], 0

    def is_root(wanted):
        of = [node for _, node in subtrees] or [sha256(b"")]
        for left in reversed(of[:-1]):
            of[-1] = sha256(b"\1" + left + of[-1])
        return of[-1] == wanted
    for data in leaves:
        name, run, count, digest = decoded(data)
        if encoded([name, run, count, digest]) != data or not (name and run and count and len(digest) == 32):
            raise Wrong("no leaf")
        subtrees.append((0, sha256(b"\0" + data)))
        while len(subtrees) > 1 and subtrees[-1][0] == subtrees[-2][0]:
            height, right = subtrees.pop()
            subtrees[-1] = height + 1, sha256(b"\1" + subtrees[-1][1] + right)
        seen += 1
        if seen == old and not is_root(old_root):
            raise Wrong("not the log that it was")
    if seen != size or seen < old or not is_root(of_root):
        raise Wrong("not the leaves of that head")


def split(count):
    """The largest power of two below it."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = split(len(leaves))
    return sha256(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return inclusion(index, leaves[:k]) + [root(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root(leaves[:k])]


def consistency(old, leaves, known=True):
    if old == len(leaves):
        return [] if known else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return consistency(old, leaves[:k], known) + [root(leaves[k:])]
    return consistency(old - k, leaves[k:], False) + [root(leaves[:k])]


def root_by(leaf, index, size, path):
    """The root that the path leads to, going down as PATH is defined."""
    if size == 1:
        if path:
            raise Wrong("a path that is too long")
        return sha256(b"\0" + leaf)
    if not path:
        raise Wrong("a path that is too short")
    k = split(size)
    if index < k:
        return sha256(b"\1" + root_by(leaf, index, k, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_by(leaf, index - k, size - k, path[:-1]))


def roots_by(old, size, path, old_root, known=True):
    """Old and new root that a proof of consistency leads to, as SUBPROOF is defined."""
    if old == size:
        if len(path) != (0 if known else 1):
            raise Wrong("a proof of another length")
        return (old_root, old_root) if known else (path[0], path[0])
    if not path:
        raise Wrong("a proof that is too short")
    k = split(size)
    if old <= k:
        one, other = roots_by(old, k, path[:-1], old_root, known)
        return one, sha256(b"\1" + other + path[-1])
    one, other = roots_by(old - k, size - k, path[:-1], old_root, False)
    return sha256(b"\1" + path[-1] + one), sha256(b"\1" + path[-1] + other)


def follows(old, old_root, size, new_root, path):
    if not 0 < old <= size <= LEAVES_MAX or roots_by(old, size, path, old_root) != (old_root, new_root):
        raise Wrong("not the log that it was")


def to_be_signed(payload):
    return encoded(["Signature1", encoded(PROTECTED), AAD, payload])


def head(key, size, of_root, time):
    payload = encoded([size, of_root, time])
    r, s = utils.decode_dss_signature(key.sign(to_be_signed(payload), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return encoded(cbor2.CBORTag(18, [encoded(PROTECTED), {}, payload, signature]))


def verify_head(data, key):
    """[size, root, time], as the public key signed it."""
    message = decoded(data)
    if getattr(message, "tag", None) != 18 or len(message.value) != 4 or message.value[:2] != [encoded(PROTECTED), {}]:
        raise Wrong("no signed head of a log")
    payload, signature = message.value[2:]
    if len(signature) != 64:
        raise Wrong("a signature of another length")
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, to_be_signed(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Wrong("not this key's") from error
    size, of_root, time = decoded(payload)
    if not 0 <= size <= LEAVES_MAX or len(of_root) != 32 or time < 0:
        raise Wrong("no head of a log")
    return size, of_root, time


def proof(key, leaves, index, time=1700000000123):
    """The proof of one leaf: its items are the leaves' bytes."""
    return encoded([decoded(leaves[index]), index, inclusion(index, leaves), head(key, len(leaves), root(leaves), time)])


def verify_proof(data, key):
    """(leaf, size, time), when it holds."""
    leaf, index, path, signed = decoded(data)
    size, of_root, time = verify_head(signed, key)
    if len(leaf) != 4 or not 0 <= index < size or len(path) > PATH_MAX:
        raise Wrong("no proof")
    if root_by(leaf_bytes(*leaf), index, size, path) != of_root:
        raise Wrong("the log does not have it there")
    return leaf, size, time
