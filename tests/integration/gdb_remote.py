# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor can do that no command line of QEMU's offers: stop a machine at an address, read and write its
memory, by the debugger's serial protocol."""
import re
import socket

from guest_vm import PATIENCE

WORD = 8  # bytes of a register
RSI = 4  # its number, of amd64's in the protocol's order
TRAP = b"05"
KERNEL_ENTRY = 0x100000  # a bzImage's first instruction of 32 bits; RSI has its parameters' place
PIECE = 512  # bytes of one packet's memory
PACKET = re.compile(rb"\$([^#]*)#[0-9a-f]{2}")


class Gone(Exception):
    """There is no machine any more."""


class Debugger:
    """Of a Vm that has the arguments."""

    def __init__(self, vm, waits=True):
        vm.wait_for_listener(self._path(vm))
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(PATIENCE)
        self.link.connect(self._path(vm))
        self.got = b""
        if not waits:
            self._send("?")
            while self._answer()[1:3] != TRAP:
                pass  # QEMU before 8.1 says as well that it has stopped

    @staticmethod
    def _path(vm):
        return vm.path("debugger")

    @classmethod
    def arguments(cls, vm, waits=True):
        """`waits`: the machine does not start before its debugger lets it go; otherwise it stops as one comes."""
        path = cls._path(vm)
        return [*(["-S"] if waits else []), "-chardev", f"socket,id=debugger,path={path},server=on,wait=off", "-gdb", "chardev:debugger"]

    def _send(self, text):
        data = text.encode()
        self.link.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def _answer(self):
        """The next packet; what has come of one that is not whole is kept if nothing more does in time."""
        while not (found := PACKET.search(self.got)):
            block = self.link.recv(4096)
            if not block:
                raise Gone("the debugger's line is closed")
            self.got += block
        self.got = self.got[found.end():]
        self.link.sendall(b"+")
        return found[1]

    def ask(self, text):
        """One packet, and the answer's."""
        self._send(text)
        answer = self._answer()
        assert not answer.startswith(b"E"), (text[:40], answer)
        return answer

    def go(self):
        """The machine goes on, until something stops it."""
        self._send("c")

    def has_stopped(self, seconds):
        """After go(), in that time."""
        self.link.settimeout(seconds)
        try:
            answer = self._answer()
        except TimeoutError:
            return False
        finally:
            self.link.settimeout(PATIENCE)
        if answer[:1] == b"W":
            raise Gone("the machine has ended")
        assert answer[:1] in b"TS" and answer[1:3] == TRAP, answer
        return True

    def run_to(self, address):
        self.ask(f"Z1,{address:x},1")
        self.go()
        assert self.has_stopped(PATIENCE), f"it does not come to {address:#x}"
        self.ask(f"z1,{address:x},1")

    def stop_as_it_reads(self, address, size):
        """Behind each instruction of the guest's that reads there."""
        assert self.ask(f"Z3,{address:x},{size:x}") == b"OK"

    def see_all_memory(self):
        """Addresses are those of the machine's memory from here on, whatever the guest has mapped."""
        assert self.ask("Qqemu.PhyMemMode:1") == b"OK"

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
