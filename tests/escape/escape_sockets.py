# SPDX-License-Identifier: Apache-2.0
"""Ways to talk to somebody."""
# flake8: noqa: F821
from rows import hostile


@hostile(outside=True)
def a_connection_to_the_machine():
    """A TCP socket, with which the agent's own port could be reached."""
    refused(socket.socket, socket.AF_INET, socket.SOCK_STREAM)


@hostile(outside=True)
def a_datagram_to_the_world():
    """A UDP socket, and one of IPv6: a name server would hear it."""
    refused(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    refused(socket.socket, socket.AF_INET6, socket.SOCK_DGRAM)


@hostile(outside=True)
def an_abstract_name():
    """An abstract Unix socket that a process outside listens at."""
    one = socket.socket(socket.AF_UNIX)
    refused(one.connect, "\0" + sys.argv[1])


@hostile()
def descriptors_in_flight():
    """Descriptors sent to itself and never received: the kernel's memory, which no limit of files counts."""
    left, right = socket.socketpair()
    until_refused(lambda: socket.send_fds(left, [b"x"], [right.fileno()] * 200))
