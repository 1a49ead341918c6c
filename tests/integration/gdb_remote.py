# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor can do that no command line of QEMU's offers: stop a machine at an address, read and write its
memory, by the debugger's serial protocol."""
import socket

from guest_vm import PATIENCE

WORD = 8  # bytes of a register
RSI = 4  # its number, of amd64's in the protocol's order
TRAP = b"05"
KERNEL_ENTRY = 0x100000  # a bzImage's first instruction of 32 bits; RSI has its parameters' place
PIECE = 512  # bytes of one packet's memory


class Debugger:
    """Of a Vm that waits to be let go, by the arguments."""

    def __init__(self, vm):
        vm.wait_for_listener(self._path(vm))
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(PATIENCE)
        self.link.connect(self._path(vm))
        self.got = b""

    @staticmethod
    def _path(vm):
        return vm.path("debugger")

    @classmethod
    def arguments(cls, vm):
        path = cls._path(vm)
        return ["-S", "-chardev", f"socket,id=debugger,path={path},server=on,wait=off", "-gdb", "chardev:debugger"]

    def _until(self, mark):
        while mark not in self.got:
            block = self.link.recv(4096)
            assert block, "the debugger's line is closed"
            self.got += block
        text, self.got = self.got.split(mark, 1)
        return text

    def ask(self, text):
        """One packet, and the answer's."""
        data = text.encode()
        self.link.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))
        self._until(b"$")
        answer = self._until(b"#")
        while len(self.got) < 2:
            self.got += self.link.recv(2)
        self.got = self.got[2:]
        self.link.sendall(b"+")
        assert not answer.startswith(b"E"), (text[:40], answer)
        return answer

    def run_to(self, address):
        self.ask(f"Z1,{address:x},1")
        stopped = self.ask("c")
        assert stopped[:1] in b"TS" and stopped[1:3] == TRAP, stopped
        self.ask(f"z1,{address:x},1")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask("g").decode())[number * WORD:(number + 1) * WORD], "little")

    def read(self, address, size):
        return b"".join(bytes.fromhex(self.ask(f"m{address + at:x},{min(PIECE, size - at):x}").decode())
                        for at in range(0, size, PIECE))

    def write(self, address, data):
        for at in range(0, len(data), PIECE):
            piece = data[at:at + PIECE]
            assert self.ask(f"M{address + at:x},{len(piece):x}:{piece.hex()}") == b"OK"

    def leave(self):
        """The machine goes on, alone."""
        assert self.ask("D") == b"OK"
        self.link.close()
