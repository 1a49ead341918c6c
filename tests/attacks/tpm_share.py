# SPDX-License-Identifier: Apache-2.0
"""A software TPM that two talk to: swtpm serves one connection at a time, and the agent's keeper has it;
whoever reaches the TPM beside the agent comes through here. Commands are passed on whole, one by one."""
import socket
import struct
import threading

from agent_tpm import Tpm
from listener import Listener
from ports import free_port

HEAD = 10  # tag, size, code


class Commands(Listener):
    """TPM commands of any number of clients over the one connection to swtpm."""

    def __init__(self, tpm, port):
        self.link = socket.create_connection(("127.0.0.1", tpm.port))
        self.turn = threading.Lock()
        super().__init__(port)

    @staticmethod
    def message(sock):
        data, size = b"", HEAD
        while len(data) < size:
            piece = sock.recv(size - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
            if len(data) == HEAD:
                size = struct.unpack_from(">I", data, 2)[0]
        return data

    def serve(self, sock):
        while True:
            command = self.message(sock)
            with self.turn:
                self.link.sendall(command)
                answer = self.message(self.link)
            sock.sendall(answer)


class Control(Listener):
    """swtpm's control channel, a connection each time."""

    def __init__(self, tpm, port):
        self.behind = tpm.port + 1
        super().__init__(port)

    def serve(self, sock):
        while data := sock.recv(4096):
            with socket.create_connection(("127.0.0.1", self.behind)) as there:
                there.sendall(data)
                sock.sendall(there.recv(4096))


class SharedTpm:
    """swtpm with both; `tcti` names it for the agent and for tpm2-tools."""

    def __init__(self):
        self.tpm = Tpm()
        port = free_port(2)
        self.commands, self.control = Commands(self.tpm, port), Control(self.tpm, port + 1)
        self.tcti = f"swtpm:host=127.0.0.1,port={port}"

    def close(self):
        self.commands.__exit__()
        self.control.__exit__()
        self.tpm.remove()
