# SPDX-License-Identifier: Apache-2.0
"""A crowd of strangers at a gRPC listener: connections that are opened, prove nothing, and stay."""
import contextlib
import itertools
import resource
import socket

import h2raw as h2

HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20)  # the beginning of a ClientHello
NO_WINDOW = b"\0\x04\0\0\0\0"  # SETTINGS_INITIAL_WINDOW_SIZE 0


def silent(port, _):
    return socket.create_connection(("127.0.0.1", port))


def hello(port, _):
    raw = silent(port, _)
    raw.sendall(HELLO)
    return raw


def preface(port, context):
    peer = h2.Peer(port, greet=False, context=context)
    peer.send(h2.PREFACE[:-1])
    return peer.socket


def idle(port, context):
    return h2.Peer(port, context=context).socket


def reflection(port, context):
    peer = h2.Peer(port, context=context)
    peer.open(REFLECTION)
    return peer.socket


def watch(port, context):
    peer = h2.Peer(port, context=context)
    peer.data(peer.open(HEALTH + "Watch"), h2.message(b""), end=True)
    return peer.socket


def no_body(port, context):
    peer = h2.Peer(port, context=context)
    peer.open(HEALTH + "Check")
    return peer.socket


def no_window(port, context):
    peer = h2.Peer(port, context=context, settings=NO_WINDOW)
    peer.data(peer.open(HEALTH + "Check"), h2.message(b""), end=True)
    return peer.socket


def holding(path, is_short=False):
    """A kind: calls of a service by somebody whom it knows, under names that he makes up, each of which
    has been taken, and cancelled at once if it is_short; where there is no place left, the connection is
    one that has ended."""
    names = itertools.count()

    def kind(port, context):
        try:
            peer = h2.Peer(port, context=context)
            stream = peer.open(path, ("job-id", f"made-up-{next(names)}"))
            peer.until_data(stream)
            if is_short:
                peer.send(h2.frame(h2.RST_STREAM, 0, stream, b"\0\0\0\x08"))
            return peer.socket
        except (OSError, AssertionError):
            ended, other = socket.socketpair()
            other.close()
            return ended
    return kind


ON_THE_WAY = (silent, hello, preface)
CALLING = (idle, reflection, watch, no_body, no_window)


@contextlib.contextmanager
def few_descriptors(count):
    """What is started meanwhile has so few, and three quarters of them as places."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_over(sock):
    """Whether the server has ended the connection; reads what it said before."""
    sock.setblocking(False)
    try:
        while sock.recv(1 << 16):
            pass
        return True
    except (BlockingIOError, OSError) as error:
        # TLS says 'want read' for a connection that goes on.
        return isinstance(error, ConnectionResetError) or "EOF" in str(error)


class Crowd:
    """For a `with`: so many connections of each kind, opened one after the other."""

    def __init__(self, port, kinds, count, context=None):
        self.sockets = []
        try:
            for kind in kinds:
                for _ in range(count):
                    self.sockets.append(kind(port, context))
        except BaseException:
            self.close()
            raise

    def gone(self):
        """How many the server has sent away."""
        return sum(map(is_over, self.sockets))

    def close(self):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def answer(port, context=None, path=HEALTH + "Check", request=b""):
    """grpc-status of a call on a connection of its own."""
    peer = h2.Peer(port, context=context)
    try:
        stream = peer.open(path)
        peer.data(stream, h2.message(request), end=True)
        return peer.status_of(stream)
    finally:
        peer.close()
