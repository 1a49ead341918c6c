# SPDX-License-Identifier: Apache-2.0
"""Between a machine and its software TPM: who stands there hears each answer before the machine does."""
import array
import select
import socket
import struct
import threading


class Relay(threading.Thread):
    """In front of that machine's swtpm. `change(answer, the answer before)` gives what the machine gets in its place.

    QEMU's control channel and swtpm's: QEMU sends an end of the channel of commands by it, and ours takes its place."""

    def __init__(self, vm, change):
        super().__init__(daemon=True)
        self.to, path = vm.path("tpm.sock"), vm.path("relay.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.change, self.stop, self.failed, self.last = change, False, None, b""
        words = vm.words
        vm.words = lambda: [word.replace(f"path={self.to}", f"path={path}") for word in words()]
        self.start()

    def close(self):
        self.stop = True
        self.join()
        self.listener.close()

    def alive(self):
        assert self.failed is None, repr(self.failed)

    def run(self):
        ends = []
        try:
            while not self.stop and not select.select([self.listener], [], [], 0.1)[0]:
                pass
            if self.stop:
                return
            qemu, swtpm = self.listener.accept()[0], socket.socket(socket.AF_UNIX)
            ends += [qemu, swtpm]
            swtpm.connect(self.to)
            pairs = {qemu: swtpm, swtpm: qemu}
            while not self.stop:
                for end in select.select(list(pairs), [], [], 0.1)[0]:
                    data, ancillary, _, _ = end.recvmsg(1 << 16, socket.CMSG_LEN(4))
                    if not data:
                        return
                    if end is qemu:
                        send = self._commands(ancillary, pairs, ends)
                        qemu_to = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [send.fileno()]))] if send else []
                        swtpm.sendmsg([data], qemu_to)
                    elif end is swtpm:
                        qemu.sendall(data)
                    else:
                        pairs[end].sendall(self._answer(end, data) if end is self.ours else data)
        except (ConnectionError, BrokenPipeError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error
        finally:
            for end in ends:
                end.close()

    def _commands(self, ancillary, pairs, ends):
        """Swtpm's new end of the commands' channel, if QEMU has sent one."""
        for _, kind, data in ancillary:
            if kind == socket.SCM_RIGHTS:
                theirs = socket.socket(fileno=array.array("i", data)[0])
                self.ours, given = socket.socketpair()
                pairs[theirs], pairs[self.ours] = self.ours, theirs
                ends += [theirs, self.ours, given]
                return given
        return None

    def _answer(self, end, data):
        """All of swtpm's answer, changed or not."""
        size = struct.unpack_from(">I", data, 2)[0]
        while len(data) < size:
            data += end.recv(size - len(data))
        self.last, before = data, self.last
        return self.change(data, before)
