# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frames, with header blocks of literals; what a client sends, and what a server answers."""
from seeds.network import framed
from seeds.parts import protobuf, u16, u24, u32

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1


def frame(kind, content=b"", flags=0, stream=0):
    return u24(len(content)) + bytes([kind, flags]) + u32(stream) + content


def integer(value, bits):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    out, value = bytearray([limit]), value - limit
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    return bytes(out + bytes([value]))


def block(*fields):
    return b"".join(b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value for name,
        value in fields)


def request(path=b"/cvms.Service/Process", *more, method=b"POST", kind=b"application/grpc", stream=1,
    flags=END_HEADERS):
    fields = [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"), (b"te",
        b"trailers"), (b"content-type", kind)]
    return frame(HEADERS, block(*fields, *more), flags, stream)


def data(*messages, stream=1, end=True):
    return frame(DATA, b"".join(messages), END_STREAM if end else 0, stream)


def ping(number):
    return frame(PING, number.to_bytes(8, "big"))


def variants(content, count):
    """The same with the beginnings of a frame behind it, of which nothing follows: for the length."""
    return {f"-{n}": content + b"\0" * n for n in range(count)}


def settings(*pairs):
    return frame(SETTINGS, b"".join(u16(key) + u32(value) for key, value in pairs))


MESSAGE = protobuf((1, protobuf((1, "msg"), (2, "id"))))


def h2_server():
    one, raw, small = b"/fuzz/One", b"/fuzz/Bytes", b"/fuzz/Small"
    check, watch = b"/grpc.health.v1.Health/Check", b"/grpc.health.v1.Health/Watch"
    reflection = b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    message, text = framed(MESSAGE), MESSAGE
    much = framed(*[text] * 200)
    out = {
        "get": request(method=b"GET"),
        "no-grpc": request(kind=b"text/plain"),
        "proto": request(kind=b"application/grpc+proto") + data(message),
        "kind-more": request(kind=b"application/grpc+proto;x=1") + data(),
        "kind-other": request(kind=b"application/grpc+json"),
        "timeout": request(one, (b"grpc-timeout", b"10S")) + data(message),
        "timeout-broken": request(one, (b"grpc-timeout", b"x")),
        "timeout-now": request(small, (b"grpc-timeout", b"0n")) + data(message),
        "gzip": request(one, (b"grpc-encoding", b"gzip")),
        "identity": request(one, (b"grpc-encoding", b"identity")) + data(message),
        "path-long": request(b"/" + b"x" * 300),
        "no-service": request(b"/no/Thing"),
        "no-method": request(b"/fuzz/Thing"),
        "metadata": request(one, (b"x-bin", b"AAEC"), (b"y", b"z")) + data(message),
        "metadata-broken": request(one, (b"x-bin", b"!")),
        "metadata-twice-broken": request(one, (b"x-bin", b"!"), (b"y-bin", b"!")),
        "headers-large": request(one, *[(b"x-%d" % n, b"v" * 900) for n in range(6)]),
        "headers-huge": request(one, *[(b"x-%d" % n, b"v" * 900) for n in range(16)]),
        "metadata-many": request(one, *[(b"x", b"v")] * 90),
        "one-none": request(one) + data(),
        "one-two": request(one) + data(message, message),
        "one-cut": request(one) + data(message[:-2]),
        "one-broken": request(one) + data(framed(b"\xff")),
        "one-large": request(one) + data(b"\0" + u32(1 << 20)),
        "one-compressed": request(one) + data(framed(text, flag=1)),
        "one-flag": request(one) + data(framed(text, flag=9), message),
        "small-large": request(small) + data(framed(bytes(17)), end=False) + data(message),
        "small": request(small) + data(framed(protobuf((9, b"x")))),
        "trailers": request(raw) + data(message, end=False) + frame(HEADERS, block((b"x", b"y")),
            END_STREAM | END_HEADERS, 1),
        "reset": request(raw) + data(message, end=False) + frame(RST, u32(8), 0, 1),
        "after-end": request(one) + data(message) + data(message),
        "bytes-delivered": request(raw) + data(framed(b"ab", b"abc")) + b"".join(frame(PING, n.to_bytes(8,
            "big"), ACK) for n in range(40)),
        "bulk-back": request(raw) + data(framed(b"a"), framed(b"abc"), framed(bytes(9))) + frame(WINDOW,
            u32(1 << 20)) + frame(WINDOW, u32(1 << 20), 0, 1),
        "no-window": settings((4, 0)) + request(raw) + data(framed(bytes(9)), framed(b"ab"), end=False)
            + data(framed(b"\xff" * 3)),
        "no-window-one": settings((4, 0)) + request(one) + data(message),
        "no-window-process": settings((4, 0)) + request() + data(much, end=False) + data(b"\0"),
        "window-later": settings((4, 0)) + request() + data(message, message, end=False) + settings((4,
            65535)) + data(),
        "window-zero": request() + frame(WINDOW, u32(0), 0, 1),
        "window-over": request() + frame(WINDOW, u32(0x7fffffff), 0, 1),
        "many": b"".join(request(one, stream=1 + 2 * n) + data(message, stream=1 + 2 * n) for n in range(10)),
        "many-open": b"".join(request(raw, stream=1 + 2 * n) for n in range(12)),
        "held": b"".join(request(raw, stream=1 + 2 * n) + data(b"\0" + u32(60000) + bytes(16000), stream=1
            + 2 * n, end=False) for n in range(7)),
        "process": request() + data(much),
        "pings": b"".join(ping(n) for n in range(1200)),
        "settings-many": settings() * 1200,
        "priorities": frame(PRIORITY, bytes(5), 0, 3) * 1200,
        "data-empty": request(raw) + frame(DATA, b"", 0, 1) * 1200,
        "unknown-frames": frame(99, b"x") * 20,
        "web": b"w" + request(b"/", method=b"GET", kind=b"text/plain", flags=END_HEADERS | END_STREAM),
        "web-body": b"w" + request(b"/", kind=b"text/plain") + data(b"a" * 60, end=False) + data(b"b" * 40),
        "web-large": b"w" + request(b"/", kind=b"text/plain") + data(b"a" * 101),
        "web-on": b"w" + request(b"/on", kind=b"text/plain") + data(b"aa"),
        "web-on-end": b"w" + request(b"/on", kind=b"text/plain") + data(),
        "web-on-high": b"w" + request(b"/on", kind=b"text/plain") + data(b"a" * 9) + frame(WINDOW, u32(1 << 24))
        + frame(WINDOW, u32(1 << 24), 0, 1),
        "web-on-no-window": b"w" + settings((4, 0)) + request(b"/on", kind=b"text/plain") + data(b"a" * 300),
        "web-head": b"w" + request(b"/", method=b"HEAD", kind=b"text/plain") + data(b"a"),
        "web-never": b"w" + request(b"/never", kind=b"text/plain") + data(b"a", end=False),
        "web-no-window": b"w" + settings((4, 0)) + request(b"/", kind=b"text/plain") + data(b"a" * 9),
        "web-long": b"w" + request(b"/" + b"x" * 600, kind=b"text/plain") + data(),
        "web-longer": b"w" + frame(HEADERS, block((b":method", b"GET"), (b":scheme", b"http"), (b":authority",
            b"x"), (b":path", b"/" + b"x" * 4000)), END_HEADERS | END_STREAM, 1),
        "web-type-long": b"w" + request(b"/", kind=b"text/" + b"x" * 200),
        "web-type-twice": b"w" + request(b"/", (b"content-type", b"text/html"), kind=b"text/plain"),
        "web-bad-value": b"w" + request(b"/", (b"x-bin", b"!"), kind=b"text/plain"),
        "web-large-headers": b"w" + request(b"/", *[(b"x-%d" % n, b"v" * 900) for n in range(6)],
            kind=b"text/plain"),
        "web-grpc": b"w" + request(one) + data(message),
        "push": frame(PUSH, u32(2) + block((b":method", b"GET")), END_HEADERS, 1),
        "stream-0": frame(DATA, b"x"),
        "even": request(stream=2),
        "data-nowhere": data(message, stream=9),
        "goaway": request(raw) + frame(GOAWAY, u32(0) + u32(0)) + data(message),
        "settings-odd": frame(SETTINGS, b"x"),
        "settings-values": settings((5, 1), (2, 7)),
        "block-cut": request(flags=0),
        "block-odd": frame(HEADERS, b"\x80", END_HEADERS, 1),
        "upper": frame(HEADERS, block((b"Upper", b"x")), END_HEADERS, 1),
        "no-path": frame(HEADERS, block((b":method", b"POST")), END_HEADERS, 1),
        "bad-value": request(one, (b"x", b"a\x01")) * 2,
        "continued": request(flags=0)[:-4] + frame(CONTINUATION, b"", END_HEADERS, 1),
        "padded": frame(DATA, b"\x05" + bytes(3), PADDED, 1),
        "no-preface": b"PRI * HTTP/1.0\r\n\r\nXX",
        "pong": frame(PING, bytes(8), ACK),
        "check": request(check) + data(framed(b"")),
        "check-one": request(check) + data(framed(protobuf((1, "cvms.Service")))),
        "check-none": request(check) + data(framed(protobuf((1, "no")))),
        "watch": request(watch) + data(framed(b"")),
        "watch-long": request(watch) + data(framed(protobuf((1, "n" * 300)))),
        "watch-two": request(watch) + data(framed(b"")) + request(watch, stream=3) + data(framed(b""),
            stream=3),
        "reflect": request(reflection) + data(framed(protobuf((7, "")), protobuf((3, "cvms.proto")),
            protobuf((4, "cvms.Service")), protobuf((4, "cvms.AgentLog")), protobuf((3, "no.proto")),
            protobuf((5, b"")), protobuf((6, "x")), b"")),
        "reflect-much": request(reflection) + data(framed(*[protobuf((3, "cvms.proto"))] * 400), end=False)
            + data(),
        "reflect-unread": settings((4, 0)) + request(reflection) + data(framed(*[protobuf((3,
            "cvms.proto"))] * 900), end=False) + settings((4, 1 << 24)) + frame(WINDOW, u32(1 << 24))
            + data(),
    }
    for name in ("one-cut", "no-window", "process", "bulk-back", "watch", "get", "block-cut", "many-open",
        "bytes-delivered", "trailers"):
        content = out[name]
        for suffix, longer in variants(content, 8).items():
            out[name + suffix] = longer
    for suffix, longer in variants(request(raw) + data(framed(b"a"), end=False), 8).items():
        out["open" + suffix] = longer
    for suffix, longer in variants(ping(1), 8).items():
        out["quiet" + suffix] = longer
    return out


def answer(*more, stream=1, status=b"200", kind=b"application/grpc", flags=END_HEADERS):
    fields = [(b":status", status)] + ([(b"content-type", kind)] if kind else [])
    return frame(HEADERS, block(*fields, *more), flags, stream)


def trailers(*more, stream=1, status=b"0"):
    return frame(HEADERS, block((b"grpc-status", status), *more), END_STREAM | END_HEADERS, stream)


def h2_client():
    hello = settings() + frame(SETTINGS, b"", ACK)
    token = framed(protobuf((1, b"xy")))
    run = framed(protobuf((3, protobuf((1, "id")))))
    streams = {1: token, 3: run, 5: run}

    def good(stream):
        return answer(stream=stream) + data(streams[stream], stream=stream, end=False) + trailers(stream=stream)

    out = {
        "all": hello + good(1) + good(3) + good(5),
        "headers": hello + answer((b"x-bin", b"AAEC"), stream=5) + data(run * 9, stream=5, end=False)
            + trailers((b"grpc-message", b"%41"), stream=5, status=b"7"),
        "no-text": hello + answer() + trailers(status=b"5"),
        "gzip": hello + answer((b"grpc-encoding", b"gzip")),
        "identity": hello + answer((b"grpc-encoding", b"identity")) + trailers(),
        "http-404": hello + answer(status=b"404"),
        "http-503-grpc": hello + answer((b"grpc-status", b"14"), status=b"503",
            flags=END_HEADERS | END_STREAM),
        "http-500-ok": hello + answer((b"grpc-status", b"0"), status=b"500"),
        "no-grpc": hello + answer(kind=b"text/html"),
        "continue": hello + answer(status=b"103", kind=None) + good(1),
        "no-status": hello + answer(flags=END_HEADERS | END_STREAM),
        "headers-large": hello + answer(*[(b"x-%d" % n, b"v" * 9000) for n in range(4)]),
        "headers-huge": hello + b"".join([frame(HEADERS, block((b":status", b"200"), *[(b"x-%d" % n,
            b"v" * 15000) for n in range(1)]), 0, 1)] + [frame(CONTINUATION, block((b"y", b"v" * 16000)), 0,
            1)] * 7),
        "metadata-broken": hello + answer((b"x-bin", b"!"), (b"y-bin", b"!")),
        "end-cut": hello + answer() + data(token[:-1], end=False) + trailers(),
        "end-none": hello + answer() + trailers(),
        "two": hello + answer() + data(token + token, end=False) + trailers(),
        "broken": hello + answer() + data(framed(b"\xff"), end=False) + trailers(),
        "broken-stream": hello + answer(stream=3) + data(framed(b"\xff"), run, stream=3, end=False)
            + data(run, stream=3, end=False),
        "flag": hello + answer(stream=3) + data(framed(b"", flag=9), stream=3, end=False),
        "many": hello + answer(stream=3) + data(run * 70, stream=3, end=False) + trailers(stream=3),
        "many-end": hello + answer(stream=3) + data(run * 2, stream=3, end=False) + trailers(stream=3),
        "reset": hello + frame(RST, u32(7), 0, 1) + frame(RST, u32(8), 0, 3) + frame(RST, u32(11), 0, 5),
        "reset-late": hello + answer() + frame(RST, u32(2), 0, 1),
        "goaway": frame(GOAWAY, u32(0) + u32(0)) + settings(),
        "goaway-late": hello + frame(GOAWAY, u32(5) + u32(0)) + good(1) + good(3) + good(5),
        "few": settings((3, 0)),
        "no-window": settings((4, 0)) + frame(SETTINGS, b"", ACK) + good(5),
        "windows": hello + frame(WINDOW, u32(1 << 24)) + frame(WINDOW, u32(1 << 24), 0, 5) + good(5),
        "acks": hello + frame(SETTINGS, b"", ACK) * 3,
        "pongs": hello + b"".join(frame(PING, n.to_bytes(8, "big"), ACK) for n in range(9)),
        "pings": hello + ping(1) * 5,
        "nowhere": hello + data(run, stream=7),
        "push": hello + frame(PUSH, u32(2) + block((b":method", b"GET")), END_HEADERS, 1),
        "many-bytes": hello + answer(stream=5) + data(run * 40, stream=5, end=False) + trailers(stream=5),
        "hello": hello,
        "no-http": b"HTTP/1.1 400 Bad\r\n\r\n",
        "late-bytes": hello + good(1) + data(token),
        "settings-bad": settings((4, 1 << 31)),
    }
    for name in ("hello", "windows", "no-window", "all", "goaway", "few", "headers", "acks", "many-bytes"):
        for suffix, longer in variants(out[name], 8).items():
            out[name + suffix] = longer
    return out


TARGETS = [h2_server, h2_client]
