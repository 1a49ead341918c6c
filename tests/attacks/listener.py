# SPDX-License-Identifier: Apache-2.0
"""A TCP listener of the attacker's on a free port; each connection has a thread of its own."""
import contextlib
import socket
import threading


class Listener:
    """For a `with`; serve(sock) is what a kind of it does. `received` is what it counts."""

    def __init__(self, port=0):
        self.received, self.failures = 0, []
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, sock):
        raise NotImplementedError

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.socket.accept()
                self.open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            self.serve(sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Bridge(Listener):
    """Carries what one client says in the clear into a TLS connection of ours (attested_peer)."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection

    def serve(self, sock):
        self.connection.pipe(sock)
