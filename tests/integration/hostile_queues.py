# SPDX-License-Identifier: Apache-2.0
"""A disk and a network card over vhost_user.py which do what a device should, except when chance says otherwise.

Chance is drawn from a seed that the caller prints, for each answer in turn: two runs of a seed try the same wrongs in
the same order, as far as the guest asks the same.
"""
import collections
import random
import socket
import struct

from vhost_user import ACCESS_PLATFORM, EVENT_IDX, INDIRECT, PROTOCOL_CONFIG, PROTOCOL_FEATURES, VERSION_1, Backend, bits

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 257, 511, 512, 1023, 1024, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff)
# What each of a machine's boots does wrong: themes together, so that one which ends the ring does not hide the others.
THEMES = {
    "contents": ("content", "status", "short", "header", "frames"),
    "lengths": ("length", "zero", "frames"),
    "order": ("late", "interrupts", "events", "frames"),
    "scribbles": ("scribble", "flags", "events"),
    "configuration": ("config", "interrupts"),
    "ids": ("id",),
    "twice": ("twice",),
    "jumps": ("jump",),
    "all": ("content", "status", "short", "header", "frames", "length", "zero", "late", "interrupts", "events", "scribble",
            "flags", "config", "id", "twice", "jump"),
}
# Those after which a driver is right not to go on with the ring.
BREAK = ("id", "twice", "jump")


class Hostile(Backend):
    """`chance` of 0 does nothing wrong. `counts` are the answers, and each wrong that was done."""

    def __init__(self, path, seed, theme, chance=0.2):
        self.random = random.Random(seed)
        self.wrongs, self.chance = THEMES.get(theme, ()), chance
        self.counts, self.kept = collections.Counter(), []
        super().__init__(path)

    @property
    def of_kernel(self):
        """SeaBIOS asks the disk, too, and takes no such feature; what becomes of it is the host's own."""
        return bool(self.accepted >> EVENT_IDX & 1)

    def wrong(self, what):
        """Whether this is the moment for that one."""
        # A ring ends by these, once: later more often than at once.
        chance = self.chance / 4 if what in BREAK else self.chance
        if what not in self.wrongs or not self.of_kernel or self.random.random() >= chance:
            return False
        self.counts[what] += 1
        return True

    def number(self):
        return self.random.choice(NUMBERS) if self.random.random() < 0.5 else self.random.getrandbits(32)

    def write(self, queue, address, data):
        """Into what the driver gave. Once an entry was answered that was not asked for, what it gave may be its own again: a
        host in front of private memory cannot write there, so this one must not."""
        if not queue.done_for:
            self.memory.write(address, data)

    def complete(self, queue, head, length):
        """The used entry of a request, in its way."""
        self.counts["answers"] += 1
        if self.wrong("length"):
            length = self.number()
        elif self.wrong("zero"):
            length = 0
        before = sum(self.counts[what] for what in BREAK)
        self._scribble(queue)
        if self.wrong("id"):
            queue.entry(self.random.choice((queue.size, self.number(), self.random.randrange(queue.size))), length)
        queue.entry(head, length)
        if self.wrong("twice"):
            queue.entry(head, length)
        if self.wrong("jump"):
            # Forward: back by one it would hide the answer, and whoever waits for a disk's waits for ever.
            queue.publish(queue.used_index + self.random.choice((1, 2, queue.size, queue.size + 1, 32768, self.random.randrange(1, 65000))))
        else:
            queue.publish()
        queue.done_for |= sum(self.counts[what] for what in BREAK) > before
        self._around(queue)
        queue.interrupt()

    def _scribble(self, queue):
        """Over what the driver wrote for the device, which it must not read again. Before the answer is published: a moment later
        a ring that was full has its next request where this one stood, and a wrong head there is answered as it stands."""
        if self.wrong("scribble"):
            for _ in range(self.random.randrange(1, 64)):
                # To no memory: whoever reads it back, the device among them, does not get far.
                queue.put("desc", "<16s", 16 * self.random.randrange(queue.size),
                          struct.pack("<QQ", self.random.getrandbits(64) | 1 << 62, self.random.getrandbits(64)))
            queue.put("avail", "<H", 4 + 2 * ((queue.taken - 1) % queue.size), self.random.getrandbits(16))

    def _around(self, queue):
        """What lies beside the answer: flags and events."""
        if self.wrong("flags"):
            queue.put("used", "<H", 0, self.random.getrandbits(16))
        if self.wrong("events"):
            queue.put("used", "<H", 4 + 8 * queue.size, self.random.getrandbits(16))

    def finish(self, queue, head, length):
        """complete(), now or later than the next ones."""
        if self.wrong("late"):
            self.kept.append((queue, head, length))
            return
        self.complete(queue, head, length)

    def serve(self):
        for queue in self.queues:
            if queue.live and self.wrong("interrupts"):
                for _ in range(self.random.choice((1, 10, 200))):
                    queue.interrupt()
        kept, self.kept = self.kept, []
        self.random.shuffle(kept)
        for queue, head, length in kept:
            if queue.live:
                self.complete(queue, head, length)
        self.work()

    def work(self):
        raise NotImplementedError


class Disk(Hostile):
    """`content`, behind the serial number."""

    BLK_SIZE_MAX, BLK_SEG_MAX, BLK_RO, BLK_BLK_SIZE = 1, 2, 5, 6
    features = bits(VERSION_1, PROTOCOL_FEATURES, INDIRECT, EVENT_IDX, ACCESS_PLATFORM, BLK_SIZE_MAX, BLK_SEG_MAX, BLK_RO, BLK_BLK_SIZE)
    protocol = Backend.protocol | bits(PROTOCOL_CONFIG)
    READ, ID = 0, 8

    def __init__(self, path, seed, theme, content, serial=b"cocos-boot", size_max=False, **options):
        self.content, self.serial = content, serial
        self.capacity, self.block_size, self.segment_max, self.segments_max = len(content) // 512, 512, 65536, 1
        if not size_max:
            self.features &= ~(1 << self.BLK_SIZE_MAX)
        super().__init__(path, seed, theme, **options)

    def config(self):
        return struct.pack("<QIIHBBI", self.capacity, self.segment_max, self.segments_max, 0, 0, 0, self.block_size) + \
            bytes(9) + struct.pack("<BHH", 1, 0, 1)

    def work(self):
        if self.wrong("config"):
            right, self.capacity = self.capacity, self.random.choice((0, 1, 1 << 40, 1 << 63, (1 << 64) - 1, self.number()))
            self.config_changed()
            self.capacity = right
            self.config_changed()
        queue = self.queues[0]
        while queue.live and queue.waiting():
            head = queue.take()
            self._request(queue, head)

    def _request(self, queue, head):
        try:
            chain = queue.chain(self.memory, head)
        except (ValueError, struct.error):
            self.counts["not read"] += 1  # of what was scribbled over
            self.finish(queue, head, 1)
            return
        given = b"".join(self.memory.read(address, length) for address, length, written in chain if not written)
        kind, _, sector = struct.unpack_from("<IIQ", given.ljust(16, b"\0"))
        places = [(address, length) for address, length, written in chain if written]
        size = sum(length for _, length in places) - 1
        data = self.content[sector * 512:sector * 512 + size] if kind == self.READ else self.serial[:size].ljust(size, b"\0")
        status = 0 if kind in (self.READ, self.ID) and len(data) == size else 1
        if self.wrong("content"):
            data = self.random.randbytes(len(data))
        if self.wrong("status"):
            status = self.random.getrandbits(8)
        if self.wrong("short"):  # the rest is as the driver left it
            data = data[:self.random.randrange(len(data) + 1)]
        for address, length in places[:-1]:
            self.write(queue, address, data[:length])
            data = data[length:]
        if places:
            self.write(queue, places[-1][0], bytes([status]))
        self.finish(queue, head, size + 1)


class Card(Hostile):
    """A network with one host, which gives a lease and tells of an IPv6 router, between frames of chance."""

    CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, HOST_TSO4, HOST_TSO6, MRG, STATUS, MAC, MTU = 0, 1, 7, 8, 11, 12, 15, 16, 5, 3
    queues_count = 2
    NEEDS_CSUM, HEAD = 1, 12
    mac, guest, address = b"\x52\x54\x00\x99\x99\x99", b"\x52\x54\x00\x12\x34\x56", "10.9.8.7"
    FRAMES_MAX = 3000  # of chance, so that a machine is left to end
    variants = {
        "merged buffers": (MRG, CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, HOST_TSO4, HOST_TSO6),
        "large buffers": (CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, HOST_TSO4, HOST_TSO6),
        "small buffers": (CSUM, GUEST_CSUM),
    }

    def __init__(self, path, seed, theme, variant="merged buffers", **options):
        self.features = bits(VERSION_1, PROTOCOL_FEATURES, INDIRECT, EVENT_IDX, ACCESS_PLATFORM, self.STATUS,
                             self.MAC, *self.variants[variant])
        self.honest, self.sent = collections.deque(), 0
        super().__init__(path, seed, theme, **options)

    @property
    def stuck(self):
        """No frame will be taken any more."""
        return self.queues[0].done_for or not self.queues[0].live

    def work(self):
        receive, transmit = self.queues
        while transmit.live and transmit.waiting():
            self._taken(transmit, transmit.take())
        for _ in range(8):
            if not (receive.live and receive.waiting()):
                return
            if self.honest:
                self._give(receive, bytes(self.HEAD - 2) + b"\1\0", self.honest.popleft())
            elif self.sent < self.FRAMES_MAX and self.wrong("frames"):
                self.sent += 1
                self._give(receive, self._header(), self._frame())
            else:
                return

    def _taken(self, queue, head):
        try:
            chain = queue.chain(self.memory, head)
            frame = b"".join(self.memory.read(address, length) for address, length, written in chain if not written)[self.HEAD:]
            self._reply(frame)
        except (ValueError, struct.error):
            self.counts["not read"] += 1
        self.finish(queue, head, 0)

    def _give(self, queue, header, frame):
        """A frame to the next buffers; too long for one, it ends there (the header says how many there are)."""
        head = queue.take()
        try:
            places = [(address, length) for address, length, written in queue.chain(self.memory, head) if written]
            data = header + frame
            for address, length in places:
                self.write(queue, address, data[:length])
                data = data[length:]
        except (ValueError, struct.error):
            self.counts["not read"] += 1
        self.finish(queue, head, len(header) + len(frame))

    def _header(self):
        if not self.wrong("header"):
            return bytes(self.HEAD - 2) + b"\1\0"
        chance = self.random
        small = lambda: chance.choice((0, 1, 14, 20, 34, 40, 54, 1448, 65535, chance.getrandbits(16)))  # noqa: E731
        return struct.pack("<BBHHHHH", chance.choice((0, 1, 2, 3, chance.getrandbits(8))),
                           chance.choice((0, 1, 3, 4, 5, 0x80, 0x81, 0x84, 0x21, 0x61, chance.getrandbits(8))),
                           small(), small(), small(), chance.choice((0, 6, 16, small())),
                           chance.choice((0, 1, 1, 1, 2, 17, 255, 65535)))

    def _frame(self):
        """An Ethernet frame to the guest, more or less: IPv4, IPv6, ARP, VLAN or nothing that is known, with wrong lengths."""
        chance = self.random
        to = chance.choice((self.guest, self.guest, b"\xff" * 6, b"\x33\x33\0\0\0\1", chance.randbytes(6)))
        inner = chance.randbytes(chance.choice((0, 1, 7, 8, 19, 20, 40, 200, 1400)))
        length = 20 + len(inner) if chance.random() < 0.7 else chance.getrandbits(16)
        kind = chance.randrange(6)
        if kind < 2:
            body = struct.pack(">BBHHHBBH", chance.choice((0x45, 0x45, 0x46, 0x4f, 0x41, 0x55)), 0, length, chance.getrandbits(16),
                               chance.choice((0, 0x2000, 0x3fff, 0x00b9)), 64, chance.choice((1, 2, 6, 17, 4, 41, 47, 255)), 0)
            body += chance.choice((socket.inet_aton(self.address), chance.randbytes(4))) + socket.inet_aton(self.address)
            body = body[:10] + struct.pack(">H", checksum(body)) + body[12:]
            body, number = body + inner, 0x800
        elif kind < 4:
            body = struct.pack(">IHBB", 6 << 28, length & 0xffff, chance.choice((0, 6, 17, 43, 44, 58, 60, 59)), 255)
            body, number = body + b"\xfe\x80" + bytes(13) + b"\1" + b"\xff\x02" + bytes(13) + b"\1" + inner, 0x86dd
        elif kind == 4:
            body, number = struct.pack(">HHBBH", 1, 0x800, 6, 4, chance.randrange(4)) + chance.randbytes(20), 0x806
        else:
            body, number = inner, chance.choice((0x8100, 0x88a8, 0x888e, 0x86dd, 0x800, chance.getrandbits(16)))
        frame = to + self.mac + struct.pack(">H", number) + body
        return frame[:chance.randrange(len(frame) + 1)] if chance.random() < 0.1 else frame

    def _reply(self, frame):
        """What a network says to this one."""
        if frame[12:14] == b"\x86\xdd" and frame[20:21] == b"\x3a" and frame[54:55] == b"\x85":
            self.honest.append(self._advertisement())
        elif frame[12:14] == b"\x08\x00" and frame[23:24] == b"\x11" and frame[36:38] == b"\x00\x43":
            request = frame[42:]
            if request[242] in (1, 3):
                self.honest.append(self._lease(request, frame[6:12], 2 if request[242] == 1 else 5))

    def _advertisement(self):
        body = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + \
            struct.pack(">BBBBIII", 3, 4, 64, 0xc0, 86400, 14400, 0) + bytes.fromhex("fec0") + bytes(14)
        source, to = b"\xfe\x80" + bytes(13) + b"\2", b"\xff\x02" + bytes(13) + b"\1"
        total = checksum(source + to + struct.pack(">II", len(body), 58) + body)
        body = body[:2] + struct.pack(">H", total) + body[4:]
        return b"\x33\x33\0\0\0\1" + self.mac + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(body), 58, 255) + source + to + body

    def _lease(self, request, guest, kind):
        message = b"\x02\x01\x06\x00" + request[4:8] + bytes(8) + socket.inet_aton(self.address) + bytes(8) + guest + \
            bytes(10 + 192) + bytes.fromhex("63825363") + \
            bytes([53, 1, kind, 54, 4, 10, 9, 8, 1, 1, 4, 255, 255, 255, 0, 3, 4, 10, 9, 8, 1, 6, 4, 10, 9, 8, 1, 51, 4, 0, 0, 14, 16, 255])
        udp = struct.pack(">HHHH", 67, 68, 8 + len(message), 0) + message
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0a090801, 0xffffffff)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        return b"\xff" * 6 + self.mac + b"\x08\x00" + ip + udp


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff
