# SPDX-License-Identifier: Apache-2.0
"""Encodings for seeds, able to be wrong: CBOR, DER, protobuf, numbers."""
import os
import struct

CORPUS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "corpus")


def saved(path):
    """An input that is kept as a file, as part of others."""
    with open(os.path.join(CORPUS, path), "rb") as file:
        return file.read()



def u16(value):
    return struct.pack(">H", value)


def u24(value):
    return struct.pack(">I", value)[1:]


def u32(value):
    return struct.pack(">I", value)


# ---- CBOR ----

class Tag:
    def __init__(self, number, content):
        self.number, self.content = number, content


class Simple(bytes):
    """CBOR as it is."""


def head(major, value, width=None):
    """A head in its shortest form, or of `width` more bytes."""
    if width is None:
        width = 0 if value < 24 else next(n for n in (1, 2, 4, 8) if value < 1 << 8 * n)
    if not width:
        return bytes([major << 5 | value])
    return bytes([major << 5 | 24 + width.bit_length() - 1]) + value.to_bytes(width, "big")


def cbor(value):
    if isinstance(value, Simple):
        return bytes(value)
    if isinstance(value, Tag):
        return head(6, value.number) + cbor(value.content)
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(cbor(item) for item in value)
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def pair(*pairs):
    """A map of pairs, in which keys may be there twice."""
    return Simple(head(5, len(pairs)) + b"".join(cbor(item) for one in pairs for item in one))


# ---- DER ----

def der(tag, *contents):
    body = b"".join(contents)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 128 | size]) + len(body).to_bytes(size, "big") + body


def oid(text):
    first, second, *rest = (int(word) for word in text.split("."))
    out = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.insert(0, 128 | number & 127)
        out += bytes(groups)
    return der(6, bytes(out))


def bits(content):
    return der(3, b"\0" + content)


# ---- protobuf ----

def varint(value):
    out = bytearray()
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    return bytes(out + bytes([value]))


def protobuf(*fields):
    """(number, value): an int, or what has a length."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def records(*rows):
    """type(1) length(2) content, one after the other."""
    return b"".join(bytes([kind]) + u16(len(content)) + content for kind, content in rows)
