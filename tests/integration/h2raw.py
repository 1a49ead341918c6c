# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frames by hand, for peers that break the rules. Only received header blocks are decoded by
a library (libnghttp2's HPACK decoder, through ctypes)."""
import ctypes
import socket
import ssl
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
PATIENCE = 180  # seconds that a test waits for what must come; nothing is measured by it

_nghttp2 = ctypes.CDLL('libnghttp2.so.14')


class _Pair(ctypes.Structure):
    _fields_ = [('name', ctypes.POINTER(ctypes.c_uint8)), ('value', ctypes.POINTER(ctypes.c_uint8)),
                ('name_len', ctypes.c_size_t), ('value_len', ctypes.c_size_t),
                ('flags', ctypes.c_uint8)]


class Decoder:
    def __init__(self):
        self.inflater = ctypes.c_void_p()
        assert _nghttp2.nghttp2_hd_inflate_new(ctypes.byref(self.inflater)) == 0
        _nghttp2.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t

    def decode(self, block):
        headers, pair, flags, at = [], _Pair(), ctypes.c_int(0), 0
        while True:
            flags.value = 0
            used = _nghttp2.nghttp2_hd_inflate_hd2(
                self.inflater, ctypes.byref(pair), ctypes.byref(flags),
                ctypes.c_char_p(block[at:]), ctypes.c_size_t(len(block) - at), 1)
            assert used >= 0, 'the server sent a bad header block'
            at += used
            if flags.value & 2:
                headers.append((bytes(pair.name[:pair.name_len]).decode(),
                                bytes(pair.value[:pair.value_len]).decode()))
            if flags.value & 1:
                _nghttp2.nghttp2_hd_inflate_end_headers(self.inflater)
                return headers
            if not used and at == len(block):
                return headers


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + struct.pack('>BBI', kind, flags, stream) + payload


def integer(value, bits, first=0):
    """An HPACK integer with a prefix of so many bits."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def literal(name, value, indexed=False):
    """A header without Huffman coding; `indexed` puts it into the decoder's table."""
    name, value = (x if isinstance(x, bytes) else x.encode() for x in (name, value))
    return (b'\x40' if indexed else b'\x00') + integer(len(name), 7) + name + \
        integer(len(value), 7) + value


def request_block(path, *more, method='POST', content_type='application/grpc'):
    headers = [(':method', method), (':scheme', 'http'), (':path', path), (':authority', 'x'),
               ('te', 'trailers'), ('content-type', content_type), *more]
    return b''.join(literal(name, value) for name, value in headers)


def message(body, flag=0, length=None):
    return struct.pack('>BI', flag, len(body) if length is None else length) + body


class Peer:
    """A connection; with `greet` it has sent preface and SETTINGS. `source` is the address that it
    comes from, of 127.0.0.0/8."""

    def __init__(self, port, greet=True, context=None, settings=b'', source='127.0.0.1'):
        self.socket = socket.create_connection(('127.0.0.1', port), source_address=(source, 0))
        self.socket.settimeout(PATIENCE)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname='localhost')
        self.buffer, self.decoder, self.stream = b'', Decoder(), -1
        self.is_closed, self.initial_window, self.windows = False, 65535, {0: 65535}
        if greet:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        """False when the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.is_closed = True
            return False

    def next_stream(self):
        self.stream += 2
        return self.stream

    def open(self, path, *more, end=False, **options):
        stream = self.next_stream()
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream,
                        request_block(path, *more, **options)))
        return stream

    def data(self, stream, data, end=False):
        self.send(frame(DATA, END_STREAM if end else 0, stream, data))

    def send_within_window(self, stream, data):
        """A whole body with END_STREAM, as flow control allows."""
        self.windows[stream], at = self.initial_window, 0
        while at < len(data):
            while self.windows[0] <= 0 or self.windows[stream] <= 0:
                self.frame()
            step = min(16000, len(data) - at, self.windows[0], self.windows[stream])
            self.data(stream, data[at:at + step], end=at + step == len(data))
            self.windows[0] -= step
            self.windows[stream] -= step
            at += step

    def read(self, count):
        while len(self.buffer) < count:
            try:
                more = self.socket.recv(1 << 16)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                more = b''
            if not more:
                self.is_closed = True
                return None
            self.buffer += more
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def frame(self):
        """(type, flags, stream, payload), or None when the connection has ended."""
        head = self.read(9)
        if head is None:
            return None
        length = struct.unpack('>I', b'\0' + head[:3])[0]
        kind, flags, stream = struct.unpack('>BBI', head[3:])
        payload = self.read(length)
        if payload is None:
            return None
        if kind == WINDOW_UPDATE and stream in self.windows:
            self.windows[stream] += struct.unpack('>I', payload)[0]
        if kind == SETTINGS and not flags & ACK:
            entries = dict(struct.iter_unpack('>HI', payload))
            self.initial_window = entries.get(4, self.initial_window)
            self.send(frame(SETTINGS, ACK, 0))
        if kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        return kind, flags, stream, payload

    def settle(self):
        """Everything so far is done on both sides: later answers of ours come in between nothing."""
        self.send(frame(PING, 0, 0, b'settled?'))
        while True:
            got = self.frame()
            if got is None or (got[0], got[1], got[3]) == (PING, ACK, b'settled?'):
                return

    def wait_closed(self):
        """The server ends the connection; what it says before is thrown away. Returns the error
        code of its GOAWAY, if there was one."""
        code = None
        while True:
            got = self.frame()
            if got is None:
                return code
            if got[0] == GOAWAY:
                code = struct.unpack('>I', got[3][4:8])[0]

    def until_data(self, wanted):
        """The first message of the answer is there; any end before that is a failure."""
        while True:
            got = self.frame()
            assert got and (got[2] != wanted or not got[1] & END_STREAM), got
            if got[0] == DATA and got[2] == wanted:
                return

    def end_of(self, wanted):
        """How the stream ends: ('status', headers) by trailers, ('reset', code), ('closed',)."""
        while True:
            got = self.frame()
            if got is None:
                return ('closed',)
            kind, flags, stream, payload = got
            if kind == HEADERS:
                headers = dict(self.decoder.decode(payload))
                if stream == wanted and flags & END_STREAM:
                    return ('status', headers)
            if kind == RST_STREAM and stream == wanted:
                return ('reset', struct.unpack('>I', payload)[0])

    def status_of(self, stream):
        """grpc-status as a number; any other end is a failure."""
        end = self.end_of(stream)
        assert end[0] == 'status', f'the call ended by {end}'
        return int(end[1]['grpc-status'])

    def close(self):
        self.socket.close()
