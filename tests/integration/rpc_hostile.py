#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that break HTTP/2's and gRPC's rules, against our server. After each attack a connection that
was there before is asked again, a new one is made, and the server's memory is looked at.

The build folder is COCOS_BUILD; arguments name the attacks that are wanted, otherwise all are. One
line (TAP) for each.
"""
import os
import pathlib
import resource
import select
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ['COCOS_BUILD']) / 'tests'
sys.path[:0] = [str(HERE), str(HERE.parent / 'interop'), str(BIN / 'interop')]

import certs as certs_module
import grpc
import h2raw as h2
import peer
import sanitized
import testing_pb2 as pb

# What the server may grow to in all. Its limits here: 32 MiB of input held (a message under way may
# have twice the room of its bytes), 16 MiB of output a call, and the library's own.
MEMORY_MAX = 96 << 20
STREAMS_MAX = 100
MESSAGE_MAX = 1 << 20

UNARY = '/grpc.testing.TestService/UnaryCall'
EMPTY = '/grpc.testing.TestService/EmptyCall'
INPUT = '/grpc.testing.TestService/StreamingInputCall'
OUTPUT = '/grpc.testing.TestService/StreamingOutputCall'
DUPLEX = '/grpc.testing.TestService/FullDuplexCall'

INTERNAL, EXHAUSTED, UNIMPLEMENTED, INVALID, DEADLINE = 13, 8, 12, 3, 4
FLOW_CONTROL_ERROR, REFUSED_STREAM = 3, 7

attacks = []


def attack(function):
    attacks.append(function)
    return function


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Server:
    def __init__(self, *options, files=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        self.process = subprocess.Popen(
            [BIN / 'grpc_interop_server', '--small-limits', *options, '127.0.0.1:0'],
            stdout=subprocess.PIPE, text=True, preexec_fn=limit, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline().split()[-1])

    def memory(self):
        """The most that was ever resident; 0 where a sanitizer's own memory would be counted."""
        if sanitized.ON:
            return 0
        for line in pathlib.Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) << 10
        raise AssertionError('the server is gone')

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=peer.TIMEOUT)


def flood(p, data, times=400):
    """Sends until the server closes; False if it takes all of it."""
    for _ in range(times):
        if not p.send(data):
            return True
    return False


def must_end(p, data, what, times=400):
    flood(p, data, times)
    p.wait_closed()
    check(p.is_closed, f'{what}: the connection goes on')


# Floods

@attack
def rapid_reset(server):
    p = h2.Peer(server.port)
    for _ in range(200):
        block = b''
        for _ in range(100):
            stream = p.next_stream()
            block += h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.request_block(INPUT))
            block += h2.frame(h2.RST_STREAM, 0, stream, struct.pack('>I', 8))
        if not p.send(block):
            break
    p.wait_closed()


@attack
def continuation_flood(server):
    p = h2.Peer(server.port)
    p.send(h2.frame(h2.HEADERS, 0, 1, h2.request_block(EMPTY)))
    must_end(p, h2.frame(h2.CONTINUATION, 0, 1, h2.literal('x', 'y' * 8000)), 'CONTINUATION')


@attack
def empty_continuation_flood(server):
    p = h2.Peer(server.port)
    p.send(h2.frame(h2.HEADERS, 0, 1, h2.request_block(EMPTY)))
    must_end(p, h2.frame(h2.CONTINUATION, 0, 1) * 1000, 'empty CONTINUATION')


@attack
def settings_flood(server):
    must_end(h2.Peer(server.port), h2.frame(h2.SETTINGS, 0, 0) * 100, 'SETTINGS')


@attack
def settings_flood_with_entries(server):
    must_end(h2.Peer(server.port),
             h2.frame(h2.SETTINGS, 0, 0, struct.pack('>HI', 4, 65535) * 30) * 100, 'SETTINGS')


@attack
def ping_flood(server):
    must_end(h2.Peer(server.port), h2.frame(h2.PING, 0, 0, b'12345678') * 100, 'PING')


@attack
def ping_answer_flood(server):
    must_end(h2.Peer(server.port), h2.frame(h2.PING, h2.ACK, 0, b'12345678') * 100, 'PING ACK')


@attack
def priority_flood(server):
    must_end(h2.Peer(server.port), h2.frame(h2.PRIORITY, 0, 7, b'\0\0\0\0\x10') * 100, 'PRIORITY')


@attack
def empty_data_flood(server):
    p = h2.Peer(server.port)
    stream = p.open(INPUT)
    must_end(p, h2.frame(h2.DATA, 0, stream) * 100, 'empty DATA')


@attack
def window_update_flood_costs_no_memory(server):
    p = h2.Peer(server.port)
    flood(p, h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack('>I', 1)) * 1000, 100)
    p.close()


@attack
def requests_whose_answers_are_not_read(server):
    p = h2.Peer(server.port)
    p.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    p.socket.settimeout(1)
    try:
        for _ in range(20000):
            if not p.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, p.next_stream(),
                                   h2.request_block('/none/none'))):
                break
    except socket.timeout:
        pass  # the server does not take more: that is fine, too
    p.close()


# Headers

@attack
def header_bomb(server):
    # One large entry in the decoder's table, then a byte for each use of it.
    p = h2.Peer(server.port)
    p.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, p.next_stream(),
                    h2.request_block(EMPTY) + h2.literal('bomb', 'x' * 3900, indexed=True)))
    stream = p.next_stream()
    p.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream,
                    h2.request_block(EMPTY) + b'\xbe' * 16000))
    end = p.end_of(stream)
    check(end[0] == 'closed' or end == ('status', end[1]) and end[1]['grpc-status'] == '8',
          f'ended by {end}')
    p.close()


@attack
def header_list_over_the_limit(server):
    p = h2.Peer(server.port)
    stream = p.open(EMPTY, *[(f'x-{i}', 'y') for i in range(289)])
    check(p.status_of(stream) == EXHAUSTED, '289 headers')
    stream = p.open(EMPTY, *[(f'x-{i}', 'y') for i in range(288)])
    p.data(stream, h2.message(b''), end=True)
    check(p.status_of(stream) == 0, '288 headers')
    stream = p.next_stream()
    block = h2.request_block(EMPTY, *[(f'x-{i}', 'y' * 3000) for i in range(10)])
    p.send(h2.frame(h2.HEADERS, 0, stream, block[:16000]) +
           h2.frame(h2.CONTINUATION, h2.END_HEADERS, stream, block[16000:]))
    check(p.status_of(stream) == EXHAUSTED, '30 KB of headers')
    stream = p.open(EMPTY, ('ok', 'y' * 8000))
    p.data(stream, h2.message(b''), end=True)
    check(p.status_of(stream) == 0, 'a call with large headers, and after others were refused')
    p.close()


@attack
def headers_that_are_no_requests(server):
    p = h2.Peer(server.port)
    for more, status in (((('grpc-timeout', '5'),), INVALID), ((('grpc-timeout', '123456789S'),), INVALID),
                         ((('x-bin', '!!'),), INVALID), ((('x', 'a\tb'),), INVALID),
                         ((('grpc-encoding', 'gzip'),), UNIMPLEMENTED)):
        stream = p.open(EMPTY, *more)
        check(p.status_of(stream) == status, f'{more}')
    stream = p.open(EMPTY, ('grpc-encoding', 'gzip'))
    check(p.end_of(stream)[1].get('grpc-accept-encoding') == 'identity', 'accepted encodings')
    for options, code in (({'method': 'GET'}, '405'), ({'content_type': 'text/html'}, '415'),
                          ({'content_type': 'application/grpcx'}, '415')):
        stream = p.open(EMPTY, **options)
        check(p.end_of(stream)[1][':status'] == code, f'{options}')
    for path in ('', '/', '//', 'x', '/grpc.testing.TestService', '/grpc.testing.TestService/',
                 '/grpc.testing.TestService/EmptyCall/', '/' + 'x' * 600):
        stream = p.open(path) if path else None
        check(stream is None or p.end_of(stream)[0] in ('status', 'reset'), f'path {path}')
    p.close()


@attack
def malformed_header_blocks(server):
    for block in (b'\xff' * 20, b'\x00', b'\x80', h2.literal(':path', '/'), h2.literal('A', 'b'),
                  h2.request_block(EMPTY, (':late', 'x')), h2.request_block(EMPTY) + b'\x3f\xff\xff\xff'):
        p = h2.Peer(server.port)
        p.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, block))
        check(p.end_of(1)[0] in ('reset', 'closed'), f'{block!r}')
        p.close()


# Flow control

@attack
def window_overflow(server):
    for stream in (0, 1):
        p = h2.Peer(server.port)
        p.open(INPUT)
        p.send(h2.frame(h2.WINDOW_UPDATE, 0, stream, struct.pack('>I', 0x7fffffff)) * 2)
        end = p.end_of(1)
        check(end[0] == 'closed' or end == ('reset', FLOW_CONTROL_ERROR), f'{end}')
        p.close()


@attack
def window_of_zero(server):
    p = h2.Peer(server.port)
    stream = p.open(INPUT)
    p.send(h2.frame(h2.WINDOW_UPDATE, 0, stream, b'\0\0\0\0'))
    check(p.end_of(stream)[0] in ('closed', 'reset'), 'an update by nothing')
    p.close()


@attack
def data_beyond_the_window(server):
    # The handler is slow to answer: the stream pauses, and the window is not given back.
    p = h2.Peer(server.port)
    stream = p.open(DUPLEX)
    wish = pb.StreamingOutputCallRequest(response_parameters=[
        pb.ResponseParameters(size=1, interval_us=60000000) for _ in range(1000)]).SerializeToString()
    p.data(stream, h2.message(wish))
    sent = 0
    filler = h2.frame(h2.DATA, 0, stream, h2.message(b'\x1a\x00') * 2000)
    while sent < 2 << 20 and p.send(filler):
        sent += len(filler)
    end = p.end_of(stream)
    check(end[0] in ('closed', 'reset'), f'{sent} bytes were taken: {end}')
    p.close()


@attack
def initial_window_that_overflows(server):
    p = h2.Peer(server.port)
    p.open(INPUT)
    p.send(h2.frame(h2.SETTINGS, 0, 0, struct.pack('>HI', 4, 0x80000000)))
    p.wait_closed()


@attack
def reader_that_reads_nothing(server):
    # 64 answers of 1 MiB, no window for any of them: the server holds little and goes on.
    settings = struct.pack('>HI', 4, 0)
    p = h2.Peer(server.port, settings=settings)
    wish = pb.StreamingOutputCallRequest(response_parameters=[
        pb.ResponseParameters(size=MESSAGE_MAX) for _ in range(64)]).SerializeToString()
    streams = [p.open(OUTPUT) for _ in range(20)]
    for stream in streams:
        p.data(stream, h2.message(wish), end=True)
    check(p.end_of(streams[0])[0] in ('reset', 'closed'), 'a call that nobody reads goes on for ever')
    p.close()


# Messages

@attack
def message_cut_at_every_byte(server):
    body = pb.StreamingInputCallRequest(payload=pb.Payload(body=b'0123456789')).SerializeToString()
    whole = h2.message(body) * 2
    cuts = {0, len(whole) // 2, len(whole)}
    p = h2.Peer(server.port)
    for cut in range(len(whole) + 1):
        stream = p.open(INPUT)
        p.data(stream, whole[:cut], end=True)
        wanted = 0 if cut in cuts else INTERNAL
        check(p.status_of(stream) == wanted, f'cut at {cut}')
    for cut in range(len(whole) + 1):  # the same bytes in two frames
        stream = p.open(INPUT)
        p.send(h2.frame(h2.DATA, 0, stream, whole[:cut]) if cut else b'')
        p.data(stream, whole[cut:], end=True)
        check(p.status_of(stream) == 0, f'split at {cut}')
    p.close()


@attack
def connection_cut_at_every_byte(server):
    body = pb.SimpleRequest(response_size=10).SerializeToString()
    whole = h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) + \
        h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request_block(UNARY)) + \
        h2.frame(h2.DATA, h2.END_STREAM, 1, h2.message(body))
    for cut in range(len(whole) + 1):
        with socket.create_connection(('127.0.0.1', server.port)) as s:
            s.sendall(whole[:cut])


@attack
def messages_that_are_none(server):
    p = h2.Peer(server.port)
    good = pb.SimpleRequest(response_size=1).SerializeToString()
    for what, path, data, status in (
            ('compressed flag', UNARY, h2.message(good, flag=1), INTERNAL),
            ('flag 2', UNARY, h2.message(good, flag=2), INTERNAL),
            ('flag 255', UNARY, h2.message(good, flag=255), INTERNAL),
            ('over the limit', UNARY, h2.message(b'x', length=MESSAGE_MAX + 1), EXHAUSTED),
            ('4 GiB', UNARY, h2.message(b'x', length=0xffffffff), EXHAUSTED),
            ('two to a unary method', UNARY, h2.message(good) * 2, UNIMPLEMENTED),
            ('none to a unary method', UNARY, b'', UNIMPLEMENTED),
            ('two to server streaming', OUTPUT, h2.message(b'') * 2, UNIMPLEMENTED),
            ('no protobuf', UNARY, h2.message(b'\xff\xff\xff'), INTERNAL),
            ('a group', UNARY, h2.message(b'\x0b\x0c'), INTERNAL),
            ('a length that leaves the message', UNARY, h2.message(b'\x1a\x7f'), INTERNAL),
            ('invalid UTF-8', UNARY, h2.message(b'\x3a\x04\x12\x02\xff\xfe'), INTERNAL),
            ('a zero byte in a string', UNARY, h2.message(b'\x3a\x04\x12\x02a\x00'), INTERNAL)):
        stream = p.open(path)
        p.data(stream, data, end=True)
        check(p.status_of(stream) == status, what)
    stream = p.open(INPUT)
    body = pb.StreamingInputCallRequest(payload=pb.Payload(body=b'x' * (MESSAGE_MAX - 12)))
    data = h2.message(body.SerializeToString())
    check(len(data) > MESSAGE_MAX - 20, 'near the limit')
    p.send_within_window(stream, data)
    check(p.status_of(stream) == 0, 'a message just within the limit')
    p.close()


@attack
def many_messages_in_one_frame(server):
    p = h2.Peer(server.port)
    stream = p.open(INPUT)
    p.data(stream, h2.message(b'') * 3000, end=True)
    check(p.status_of(stream) == 0, '3000 empty messages')
    p.close()


@attack
def half_messages_on_all_streams(server):
    # What is announced is not allocated, what is held is limited for the connection.
    peers = [h2.Peer(server.port) for _ in range(8)]
    for p in peers:
        streams = [p.open(INPUT) for _ in range(STREAMS_MAX)]
        for stream in streams:
            p.data(stream, h2.message(b'x' * 12000, length=MESSAGE_MAX))
        for _ in range(20):
            for stream in streams[:40]:
                p.data(stream, b'x' * 16000)
    for p in peers:
        p.close()


@attack
def metadata_on_all_streams(server):
    peers = [h2.Peer(server.port) for _ in range(40)]
    block = h2.request_block(INPUT, ('x', 'y' * 15000))
    for p in peers:
        for _ in range(STREAMS_MAX):
            p.send(h2.frame(h2.HEADERS, h2.END_HEADERS, p.next_stream(), block))
    for p in peers:
        p.close()


@attack
def more_streams_than_allowed(server):
    p = h2.Peer(server.port)
    streams = [p.open(INPUT) for _ in range(4 * STREAMS_MAX)]
    check(p.end_of(streams[-1]) in (('reset', REFUSED_STREAM), ('closed',)), 'all are taken')
    p.close()


@attack
def frames_out_of_place(server):
    for data in (h2.frame(h2.DATA, 0, 1, b'x'), h2.frame(h2.DATA, 0, 0, b'x'),
                 h2.frame(h2.HEADERS, h2.END_HEADERS, 2, h2.request_block(EMPTY)),
                 h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.request_block(EMPTY)),
                 h2.frame(h2.CONTINUATION, 4, 1, b''), h2.frame(h2.PUSH_PROMISE, 4, 1, b'\0\0\0\2'),
                 h2.frame(h2.SETTINGS, 0, 1), h2.frame(h2.SETTINGS, 0, 0, b'xxxxx'),
                 h2.frame(h2.SETTINGS, h2.ACK, 0, b'x'), h2.frame(h2.PING, 0, 0, b'x'),
                 h2.frame(h2.RST_STREAM, 0, 99, b'\0\0\0\0'), h2.frame(h2.DATA, 0, 1, b'x' * 20000),
                 h2.frame(h2.HEADERS, h2.END_HEADERS | h2.PADDED, 1, b'\xff' + h2.request_block(EMPTY))):
        p = h2.Peer(server.port)
        p.send(data)
        p.wait_closed()
        p.close()


# Those who are slow, and those who are something else

def no_end(p, what):
    p.wait_closed()
    check(p.is_closed, what)


def no_ends(port, *begins):
    """Each says so much and no more; all at once, since the server takes its time with each."""
    peers = [(h2.Peer(port, greet=False), data) for data in begins]
    for p, data in peers:
        p.send(data)
    for p, data in peers:
        no_end(p, f'{data[:20]!r}')


@attack
def slow_preface(server):
    no_ends(server.port, b'', h2.PREFACE[:1], h2.PREFACE[:-1], h2.PREFACE, h2.PREFACE + b'\0\0\0\4')


@attack
def slow_headers(server):
    endless, half = h2.Peer(server.port), h2.Peer(server.port)
    for p in (endless, half):
        p.settle()
    endless.send(h2.frame(h2.HEADERS, 0, 1, h2.request_block(EMPTY)))
    half.send(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request_block(EMPTY))[:-3])
    no_end(endless, 'END_HEADERS never comes')
    no_end(half, 'half a HEADERS frame')


@attack
def slow_body(server):
    begun = []
    for path, data in ((UNARY, b''), (UNARY, h2.message(b'x', length=10)), (INPUT, b'\0\0'),
                       (INPUT, h2.message(b'x', length=10))):
        p = h2.Peer(server.port)
        stream = p.open(path)
        p.data(stream, data) if data else None
        begun.append((p, stream, path))
    for p, stream, path in begun:
        check(p.status_of(stream) == DEADLINE, f'{path}: half a message')
        p.close()


def end_while(p, wanted, step):
    """How the stream ends, as Peer.end_of() has it, while step() is done now and then."""
    while True:
        while not p.buffer and not select.select([p.socket], [], [], 0.2)[0]:
            step()
        got = p.frame()
        if got is None:
            return ('closed',)
        kind, flags, stream, payload = got
        if kind == h2.HEADERS:
            headers = dict(p.decoder.decode(payload))
            if stream == wanted and flags & h2.END_STREAM:
                return ('status', headers)
        if kind == h2.RST_STREAM and stream == wanted:
            return ('reset', struct.unpack('>I', payload)[0])


@attack
def dripping_body(server):
    """Always a byte in time for the next, never the whole message."""
    p = h2.Peer(server.port)
    stream = p.open(UNARY)
    p.data(stream, h2.message(b'', length=1 << 20))
    end = end_while(p, stream, lambda: p.data(stream, b'x'))
    check(end[0] == 'status' and int(end[1]['grpc-status']) == DEADLINE, f'{end}')
    check('longer than' in end[1]['grpc-message'], f'{end}')
    p.close()


@attack
def trickling_window(server):
    """Takes a byte of the answer now and then, and leaves the rest to the server for ever."""
    p = h2.Peer(server.port, settings=struct.pack('>HI', 4, 0))
    stream = p.open(OUTPUT)
    wish = pb.StreamingOutputCallRequest(response_parameters=[pb.ResponseParameters(size=MESSAGE_MAX)])
    p.data(stream, h2.message(wish.SerializeToString()), end=True)
    end = end_while(p, stream, lambda: p.send(h2.frame(h2.WINDOW_UPDATE, 0, stream, b'\0\0\0\1')))
    check(end[0] == 'reset', f'{end}')
    p.close()


@attack
def peer_that_answers_no_ping(server):
    p = h2.Peer(server.port)
    p.open(INPUT)
    # Reads the server's frames but answers nothing.
    while p.read(1) is not None:
        p.buffer = b''


@attack
def something_else_than_http2(server):
    no_ends(server.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00', bytes(1000),
            b'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', b'no preface' * 500)


@attack
def more_connections_than_allowed(server):
    sockets = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(300)]
    for s in sockets:
        s.close()


def tls_attacks(certs):
    """Against a server of its own, which demands client certificates."""
    context = ssl.create_default_context(cafile=certs.ca)
    context.load_cert_chain(certs.client_cert, certs.client_key)
    context.set_alpn_protocols(['h2'])

    def silent(server):
        no_ends(server.port, b'', b'\x16', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')

    def failed(server):
        for _ in range(100):
            p = h2.Peer(server.port, greet=False)
            p.send(os.urandom(50))
            p.close()
        nobody = ssl.create_default_context(cafile=certs.ca)
        nobody.set_alpn_protocols(['h2'])
        wrong = ssl.create_default_context(cafile=certs.ca)
        wrong.load_cert_chain(certs.client_cert, certs.client_key)
        wrong.set_alpn_protocols(['http/1.1'])
        for bad in (nobody, wrong):
            for _ in range(10):
                try:
                    p = h2.Peer(server.port, context=bad)
                    check(p.frame() is None, 'a client that must be refused is served')
                except (ssl.SSLError, ConnectionError):
                    pass

    def slow(server):
        p = h2.Peer(server.port, greet=False, context=context)
        no_end(p, 'TLS, but no HTTP/2')
        p = h2.Peer(server.port, context=context)
        must_end(p, h2.frame(h2.PING, 0, 0, b'12345678') * 100, 'PING flood over TLS')

    def works(server):
        p = h2.Peer(server.port, context=context)
        stream = p.open(EMPTY)
        p.data(stream, h2.message(b''), end=True)
        check(p.status_of(stream) == 0, 'a good client')
        p.close()

    return [('tls_handshake_that_stalls', silent), ('tls_handshakes_that_fail', failed),
            ('tls_without_http2', slow), ('tls_good_client_afterwards', works)]


def quiet_connections_give_way(server):
    peers = [h2.Peer(server.port) for _ in range(200)]
    for _ in range(60):
        p = h2.Peer(server.port)
        stream = p.open(EMPTY)
        p.data(stream, h2.message(b''), end=True)
        if p.end_of(stream)[0] == 'status':
            break
        time.sleep(1)
    else:
        raise AssertionError('nobody gets in while others do nothing')
    for p in peers:
        p.close()


class Tap:
    def __init__(self):
        self.results = []

    def run(self, name, function):
        problem = None
        try:
            function()
            sanitized.check()
        except Exception as error:  # whatever goes wrong is the attack's result
            problem = f'{type(error).__name__}: {error}'
        self.results.append(problem is None)
        print(f'{"not ok" if problem else "ok"} {len(self.results)} - {name}', flush=True)
        if problem:
            print(f'# {problem}', flush=True)


def quiet_connections(tap):
    server = Server()
    tap.run('quiet connections give way', lambda: quiet_connections_give_way(server))
    tap.run('  and the server drains', lambda: check(server.stop() == 0, 'exit code'))


def no_descriptors(tap):
    server = Server(files=40)

    def out_of_descriptors():
        sockets = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(100)]
        for s in sockets:
            s.close()
        with grpc.insecure_channel(f'127.0.0.1:{server.port}') as channel:
            peer.empty_unary(channel)

    tap.run('listener survives having no descriptors', out_of_descriptors)
    tap.run('  and drains', lambda: check(server.stop() == 0, 'exit code'))


def main():
    tap = Tap()
    server = Server()
    with grpc.insecure_channel(f'127.0.0.1:{server.port}') as old:
        peer.empty_unary(old)
        chosen = sys.argv[1:]
        for function in attacks:
            if chosen and function.__name__ not in chosen:
                continue

            def one():
                function(server)
                peer.empty_unary(old)
                with grpc.insecure_channel(f'127.0.0.1:{server.port}',
                                           options=(('grpc.use_local_subchannel_pool', 1),)) as new:
                    # A newcomer may find the attacker's place still held, and comes again.
                    grpc.channel_ready_future(new).result(peer.TIMEOUT)
                    peer.large_unary(new)
                check(server.memory() < MEMORY_MAX, f'{server.memory() >> 20} MiB were in use')
            tap.run(function.__name__, one)
        print(f'# at most {server.memory() >> 20} MiB were in use')
    tap.run('server drains', lambda: check(server.stop() == 0, 'exit code'))
    with tempfile.TemporaryDirectory() as folder:
        certs = certs_module.Certs(folder)
        tls = Server('--cert', certs.cert, '--key', certs.key, '--client-ca', certs.ca)
        for name, function in tls_attacks(certs):
            tap.run(name, lambda: function(tls))
        tap.run('TLS server drains', lambda: check(tls.stop() == 0, 'exit code'))
    quiet_connections(tap)
    no_descriptors(tap)
    print(f'1..{len(tap.results)}')
    return 0 if all(tap.results) else 1


if __name__ == '__main__':
    os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
    sys.exit(main())
