# SPDX-License-Identifier: Apache-2.0
"""The host's half of virtio devices, outside of QEMU (vhost-user): a process that sees the guest's memory, takes what
its drivers put into their queues, and answers as it likes.

Here are the connection, the memory and the rings, as they should be. What is done wrong is in hostile_queues.py.
"""
import array
import mmap
import os
import select
import socket
import struct
import threading

PROTOCOL_FEATURES = 30  # bit, of vhost-user's own
VERSION_1, INDIRECT, EVENT_IDX, ACCESS_PLATFORM = 32, 28, 29, 33
PROTOCOL_CONFIG, PROTOCOL_BACKEND_REQUESTS, PROTOCOL_REPLY = 9, 5, 3
NEXT, WRITE, TABLE = 1, 2, 4  # flags of a descriptor
GET_FEATURES, SET_FEATURES, SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 1, 2, 5, 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, GET_PROTOCOL, SET_PROTOCOL, GET_QUEUES, SET_VRING_ENABLE = 12, 13, 14, 15, 16, 17, 18
SET_BACKEND_CHANNEL, GET_CONFIG, SET_CONFIG = 21, 24, 25
CONFIG_CHANGED = 2  # what the backend asks of QEMU
TICK = 0.002  # seconds between looks at the rings, kicked or not
CHAIN_MAX = 1024  # descriptors of one request: a ring has no more


def bits(*numbers):
    return sum(1 << number for number in numbers)


class Memory:
    """The guest's, as QEMU shares it: by the guest's addresses, or by QEMU's own."""

    def __init__(self, message, fds):
        count = struct.unpack_from("<I", message)[0]
        self.regions = []
        for number, fd in zip(range(count), fds):
            guest, size, user, offset = struct.unpack_from("<QQQQ", message, 8 + 32 * number)
            self.regions.append((guest, user, size, offset, mmap.mmap(fd, size + offset)))
            os.close(fd)

    def at(self, address, size, user=False):
        """(mapping, offset) of `size` bytes."""
        for region in self.regions:
            start = region[1] if user else region[0]
            if start <= address and address + size <= start + region[2]:
                return region[4], region[3] + address - start
        raise ValueError(f"no memory of the guest's at {address:#x}")

    def read(self, address, size):
        mapping, at = self.at(address, size)
        return mapping[at:at + size]

    def write(self, address, data):
        mapping, at = self.at(address, len(data))
        mapping[at:at + len(data)] = data


class Queue:
    """A split ring."""

    def __init__(self):
        self.size = self.taken = self.used_index = 0
        self.where = self.kick = self.call = None
        self.enabled = self.started = self.done_for = False

    def set_place(self, memory, addresses):
        desc, used, avail = addresses
        self.where = {"desc": memory.at(desc, 16 * self.size, True), "used": memory.at(used, 6 + 8 * self.size, True),
                      "avail": memory.at(avail, 6 + 2 * self.size, True)}

    @property
    def live(self):
        return self.started and self.enabled and self.where is not None

    def get(self, what, form, offset):
        mapping, at = self.where[what]
        return struct.unpack_from(form, mapping, at + offset)

    def put(self, what, form, offset, *values):
        mapping, at = self.where[what]
        struct.pack_into(form, mapping, at + offset, *values)

    def waiting(self):
        return (self.get("avail", "<H", 2)[0] - self.taken) & 0xffff

    def take(self):
        """The head of the next request."""
        head = self.get("avail", "<H", 4 + 2 * (self.taken % self.size))[0]
        self.taken = (self.taken + 1) & 0xffff
        return head

    def chain(self, memory, head):
        """[(address, length, the device writes it)] of a request, each in the guest's memory; ValueError otherwise, before anything
        behind it is followed: what stands in the ring may be what this device scribbled there itself."""
        read = lambda number: self.get("desc", "<QIHH", 16 * (number % self.size))  # noqa: E731
        found, number = [], head
        for _ in range(CHAIN_MAX):
            address, length, flags, following = read(number)
            if flags & TABLE:
                table = memory.read(address, length)
                read = lambda number, table=table: struct.unpack_from("<QIHH", table, 16 * number)  # noqa: E731
                number = 0
                continue
            memory.at(address, length)
            found.append((address, length, bool(flags & WRITE)))
            if not flags & NEXT:
                return found
            number = following
        raise ValueError("a request without end")

    def entry(self, number, length):
        """One used entry, which the guest does not see before publish()."""
        self.put("used", "<II", 4 + 8 * (self.used_index % self.size), number & 0xffffffff, length & 0xffffffff)
        self.used_index = (self.used_index + 1) & 0xffff

    def publish(self, index=None):
        self.put("used", "<H", 2, (self.used_index if index is None else index) & 0xffff)
        self.put("used", "<H", 4 + 8 * self.size, self.taken)  # tell of each request (EVENT_IDX)

    def interrupt(self):
        if self.call is not None:
            try:
                os.write(self.call, struct.pack("<Q", 1))
            except BlockingIOError:
                pass  # as many as it holds


class Backend:
    """One device: what QEMU connects to. `features` are those that are offered; serve() is called at each tick."""

    queues_count = 1
    features = bits(VERSION_1, PROTOCOL_FEATURES)
    protocol = bits(PROTOCOL_BACKEND_REQUESTS, PROTOCOL_REPLY)

    def __init__(self, path):
        self.path, self.memory, self.link, self.channel = path, None, None, None
        self.queues = [Queue() for _ in range(self.queues_count)]
        self.accepted, self.failed, self.stop = 0, None, False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.stop = True
        self.thread.join()
        self.listener.close()
        for end in (self.link, self.channel):
            if end is not None:
                end.close()
        for queue in self.queues:
            for fd in (queue.kick, queue.call):
                if fd is not None:
                    os.close(fd)

    def serve(self):
        raise NotImplementedError

    def config(self):
        return b""

    def _run(self):
        try:
            while not self.stop and not select.select([self.listener], [], [], 0.1)[0]:
                pass
            if self.stop:
                return
            self.link, _ = self.listener.accept()
            while not self.stop:
                kicks = [queue.kick for queue in self.queues if queue.kick is not None and queue.live]
                ready = select.select([self.link, *kicks], [], [], TICK)[0]
                for fd in kicks:
                    if fd in ready:
                        try:
                            os.read(fd, 8)
                        except BlockingIOError:
                            pass
                if self.link in ready and not self._message():
                    return
                if self.memory is not None:
                    self.serve()
        except (ConnectionError, BrokenPipeError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error

    def _exactly(self, size):
        data, fds = b"", []
        while len(data) < size:
            block, ancillary, _, _ = self.link.recvmsg(size - len(data), socket.CMSG_LEN(8 * 4))
            for _, kind, more in ancillary:
                if kind == socket.SCM_RIGHTS:
                    fds += array.array("i", more[:len(more) // 4 * 4])
            if not block:
                return None, fds
            data += block
        return data, fds

    def _message(self):
        """One request of QEMU's; False at its end."""
        head, fds = self._exactly(12)
        if head is None:
            return False
        request, flags, size = struct.unpack("<III", head)
        body, more = self._exactly(size) if size else (b"", [])
        answer = self._answer(request, body, fds + more)
        if answer is None and flags & 8:
            answer = bytes(8)  # it went well
        if answer is not None:
            self.link.sendall(struct.pack("<III", request, 1 | 4, len(answer)) + answer)
        return True

    def _answer(self, request, body, fds):
        if request in (GET_FEATURES, GET_PROTOCOL, GET_QUEUES):
            return struct.pack("<Q", {GET_FEATURES: self.features, GET_PROTOCOL: self.protocol, GET_QUEUES: 1}[request])
        if request == SET_FEATURES:
            self.accepted = struct.unpack("<Q", body)[0]
        elif request == SET_MEM_TABLE:
            self.memory = Memory(body, fds)
        elif request == SET_BACKEND_CHANNEL:
            self.channel = socket.socket(fileno=fds[0])
        elif request == GET_CONFIG:
            offset, length, flags = struct.unpack_from("<III", body)
            return struct.pack("<III", offset, length, flags) + self.config().ljust(256, b"\0")[offset:offset + length]
        elif request in (SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR):
            self._set_fd(request, struct.unpack("<Q", body)[0] & 0xff, fds[0] if fds else None)
        elif request in (SET_VRING_NUM, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_ENABLE, SET_VRING_ADDR):
            return self._ring(request, body)
        return None

    def _set_fd(self, request, number, fd):
        queue = self.queues[number]
        if request == SET_VRING_ERR:
            if fd is not None:
                os.close(fd)
        elif request == SET_VRING_KICK:
            if queue.kick is not None:
                os.close(queue.kick)
            queue.kick, queue.started = fd, True
        else:
            if queue.call is not None:
                os.close(queue.call)
            queue.call = fd
            if fd is not None:
                os.set_blocking(fd, False)

    def _ring(self, request, body):
        number, value = struct.unpack_from("<II", body)
        queue = self.queues[number]
        if request == SET_VRING_NUM:
            queue.size = value
        elif request == SET_VRING_BASE:
            queue.taken = queue.used_index = value
        elif request == SET_VRING_ENABLE:
            queue.enabled = bool(value)
        elif request == SET_VRING_ADDR:
            queue.set_place(self.memory, struct.unpack_from("<QQQ", body, 8))
            queue.enabled = queue.enabled or not self.accepted >> PROTOCOL_FEATURES & 1
        else:
            queue.started = False
            return struct.pack("<II", number, queue.taken)
        return None

    def config_changed(self):
        """Tells QEMU, which asks for it and tells the guest."""
        if self.channel is not None:
            self.channel.sendall(struct.pack("<III", CONFIG_CHANGED, 1, 0))
