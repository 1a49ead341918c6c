# SPDX-License-Identifier: Apache-2.0
"""A wire through which an owner reaches an agent, and on which something happens in the middle."""
import socket
import threading
import time

from listener import Listener

PIECE = 1 << 16
ROOM = 1 << 18  # of a socket: kernels differ in how much of a transfer lies in theirs


class Meter(Listener):
    """Carries TCP to a port; strikes once, when the owner has sent more than `after` bytes and has been
    sent `answered`, and lets nobody in until that is done. From then on it carries `rate` bytes in a
    second, if that is given. `carried` counts what the owner sent."""

    def __init__(self, port, strike, after=0, answered=0, rate=None):
        super().__init__()
        self.port_behind, self.strike, self.rate = port, strike, rate
        self.after, self.answered = after, answered
        self.carried, self.returned, self.gate, self.struck = 0, 0, threading.Lock(), False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)

    def serve(self, sock):
        with self.gate:
            there = socket.create_connection(("127.0.0.1", self.port_behind))
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
        back = threading.Thread(target=self.copy, args=(there, sock, self.count_back), daemon=True)
        back.start()
        self.copy(sock, there, self.count)
        back.join()

    def count_back(self, size):
        self.returned += size

    def count(self, size):
        self.carried += size
        if self.struck and self.rate:
            time.sleep(size / self.rate)
        if self.carried > self.after and self.returned >= self.answered and not self.struck:
            with self.gate:
                self.struck = True
                self.strike()

    @staticmethod
    def copy(source, sink, count):
        try:
            while data := source.recv(PIECE):
                count(len(data))
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
