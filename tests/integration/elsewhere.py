# SPDX-License-Identifier: Apache-2.0
"""Callers who come to a port of this machine from other addresses of it: 127.0.0.0/8 has many networks."""
import contextlib
import socket
import threading

import grpc

from harness import PATIENCE
from people import Caller


class Elsewhere:
    def __init__(self, port):
        self.port, self.stack = port, contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *about):
        return self.stack.__exit__(*about)

    def caller(self, address, token=None):
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, args=(listener, address), daemon=True).start()
        self.stack.callback(listener.close)
        self.stack.callback(lambda: shut(listener))
        channel = grpc.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}",
                                        options=[("grpc.use_local_subchannel_pool", 1)])
        self.stack.callback(channel.close)
        return Caller(channel, token)

    def accept(self, listener, address):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(address, 0))
                server.settimeout(None)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()


def shut(*sockets):
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def pump(source, sink):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    shut(source, sink)
