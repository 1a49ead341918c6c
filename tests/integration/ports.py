# SPDX-License-Identifier: Apache-2.0
"""Ports for programs that have to be told one."""
import random
import socket

FIRST, LAST = 20000, 32000  # outgoing connections take theirs above
RESERVED = []


def reserve(port):
    """Bound and never listening. Whoever looks for a free port does not get this one while we live;
    a program of ours that is told to use it does, since both allow it to (SO_REUSEADDR, after the
    fact here: at the moment of binding nobody may have it)."""
    held = socket.socket()
    try:
        held.bind(("127.0.0.1", port))
    except OSError:
        held.close()
        return None
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


def free_port(count=1):
    """The first of so many neighbouring ports of 127.0.0.1, which are this program's until its end."""
    while True:
        port, held = random.randrange(FIRST, LAST - count), []
        while len(held) < count and (one := reserve(port + len(held))):
            held.append(one)
        if len(held) == count:
            RESERVED.extend(held)
            return port
        for one in held:
            one.close()
