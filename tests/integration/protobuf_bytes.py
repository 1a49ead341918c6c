# SPDX-License-Identifier: Apache-2.0
"""Protobuf's wire format by hand, for messages that have to be apart from the project's own code."""


def varint(n):
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body
