# SPDX-License-Identifier: Apache-2.0
"""Connections of browsers, as fuzz_http_server.c has them."""
from seeds.http2 import END_HEADERS, END_STREAM, HEADERS, RST, WINDOW, block, data, frame, settings
from seeds.parts import u16, u32

H2, TCP = 1, 2
KEPT = 0x8000
SENDS, ANSWERS, HALF_CLOSES, CONNECTS, TELLS, ENDS, CUTS, READS_NOT = range(8)


def step(what, length=0):
    return bytes([what]) + u16(length)


def sent(*parts):
    whole = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return step(SENDS, len(whole)) + whole


def http_server():
    def h1(method, target, *fields, body="", host="localhost", version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host is not None else []), *fields]
        if body and not any(field.lower().startswith("content-length") for field in fields):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def h2(method, path, *fields, stream=1, end=True):
        return frame(HEADERS, block((b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"), *fields),
                     END_HEADERS | (END_STREAM if end else 0), stream)

    def over(flags, *steps):
        return bytes([flags]) + b"".join(steps)

    get, later, events = h1("GET", "/now"), h1("GET", "/later"), h1("GET", "/events?after=3")
    text = "Content-Type: text/plain"
    tell, end, cut = step(TELLS, 41), step(ENDS), step(CUTS)
    tells = step(TELLS, 60000)
    h2_events, h2_later = h2(b"GET", b"/events"), h2(b"GET", b"/later")
    kind = (b"content-type", b"text/plain")
    seeds = {
        "get": over(0, sent(get, get)),
        "get-pieces": over(0, *(sent(get[at:at + 9]) for at in range(0, len(get), 9))),
        "head": over(0, sent(h1("HEAD", "/now"), h1("OPTIONS", "/now"), h1("OPTIONS", "/nothing"))),
        "post": over(0, sent(h1("POST", "/now", text, body="x" * 64))),
        "post-pieces": over(0, sent(h1("POST", "/now", text, "Content-Length: 9")), sent("12345"), sent("6789", get)),
        "post-more": over(0, sent(h1("POST", "/now", text, body="x" * 65))),
        "post-unsaid": over(0, sent(h1("POST", "/now", text), "more")),
        "post-type": over(0, sent(h1("POST", "/now", body="x")), step(CONNECTS),
                          sent(h1("POST", "/now", "Content-Type: text/html", body="x"))),
        "put": over(0, sent(h1("PUT", "/now"), h1("PUT", "/now", body="x"))),
        "method": over(0, sent(h1("DELETE", "/now")), step(CONNECTS), sent(h1("BREW", "/now")), step(CONNECTS),
                       sent(h1("TRACE", "/now"))),
        "tcp": over(TCP, sent(get, h1("GET", "/now", host="127.0.0.1:80"), h1("GET", "/now", host="[::1]"),
                              h1("GET", "/now", host="a.localhost:80"))),
        "tcp-other": over(TCP, sent(h1("GET", "/now", host="example.org"))),
        "tcp-hosts": over(TCP, *(step(CONNECTS) + sent(h1("GET", "/now", host=host))
                                 for host in ("", "[::1", "localhost.", ".localhost", "h" * 255, "h" * 256, "[" + "1" * 300))),
        "no-host": over(TCP, sent(h1("GET", "/now", host=None))),
        "hosts": over(0, sent(h1("GET", "/now", "Host: b"))),
        "lengths": over(0, sent(h1("POST", "/now", text, "Content-Length: 1", "Content-Length: 1", body="x"))),
        "length-sign": over(0, sent(h1("POST", "/now", text, "Content-Length: +1", body="x"))),
        "length-empty": over(0, sent(h1("POST", "/now", text, "Content-Length:", body="x"))),
        "types": over(0, sent(h1("POST", "/now", text, text, body="x"))),
        "chunked": over(0, sent(h1("POST", "/now", text, "Transfer-Encoding: chunked"), "1\r\nx\r\n0\r\n\r\n")),
        "version": over(0, sent(h1("GET", "/now", version="HTTP/1.0"))),
        "version-two": over(0, sent(h1("GET", "/now", version="HTTP/2.0"))),
        "version-none": over(0, sent("GET /now\r\n\r\n")),
        "name": over(0, sent(h1("GET", "/now", "X Word: a")), step(CONNECTS), sent(h1("GET", "/now", "X-Word: \x01"))),
        "word": over(0, sent(h1("GET", "/now", "X-Word: a\tb"), h1("GET", "/no", "X-Word: a"))),
        "no": over(0, sent(h1("GET", "/no"))),
        "fields": over(0, sent(h1("GET", "/now", *(f"X-{n}: a" for n in range(99))))),
        "fields-more": over(0, sent(h1("GET", "/now", *(f"X-{n}: a" for n in range(101))))),
        "memory": over(0, sent(h1("GET", "/now", "X-Word: " + "a" * 33000))),
        "target-long": over(0, sent(h1("GET", "/now?a=" + "b" * 4090))),
        "targets": over(0, *(sent(h1("GET", target)) + step(CONNECTS)
                             for target in ("/of/word", "/of/%2e", "/of/%2f", "/of/", "*", "/now?a=b&a=c", "/now?a=%00", "//"))),
        "folded": over(0, sent("GET /now HTTP/1.1\r\nHost: a\r\n b\r\n\r\n")),
        "bare": over(0, sent("GET /now HTTP/1.1\nHost: a\n\n")),
        "cut": over(0, sent(get[:20]), step(HALF_CLOSES)),
        "cut-body": over(0, sent(h1("POST", "/now", text, "Content-Length: 9"), "12"), step(CONNECTS), sent(get)),
        "known": over(0, sent(h1("GET", "/now", 'If-None-Match: "one"'), h1("GET", "/now", "If-None-Match: *"))),
        "accept": over(0, sent(h1("GET", "/nothing", "Accept: text/html")), step(CONNECTS),
                       sent(h1("DELETE", "/now", "Accept: text/html"))),
        "expect": over(0, sent(h1("POST", "/now", text, "Expect: 100-continue", "Content-Length: 1")), sent("x")),
        "close": over(0, sent(h1("GET", "/now", "Connection: close"), get)),
        "later": over(0, sent(later), step(ANSWERS), sent(get)),
        "later-post": over(0, sent(h1("POST", "/later", body="x" * 9)), step(ANSWERS)),
        "later-leaves": over(0, sent(later), step(CONNECTS), step(ANSWERS)),
        "later-end": over(0, sent(later)),
        "later-many": over(0, *(sent(later) + step(CONNECTS) for _ in range(10)), step(ANSWERS)),
        "later-pipelined": over(0, sent(later, later, get), step(ANSWERS), step(ANSWERS)),
        "crowd": over(0, *[step(CONNECTS, KEPT | 66), sent(get)]),
        "crowd-later": over(0, sent(later), step(CONNECTS, KEPT | 66), step(ANSWERS), sent(get)),
        "crowd-events": over(0, sent(events), step(CONNECTS, KEPT | 66), tell, sent(get)),
        "crowd-late": over(0, step(CONNECTS, KEPT | 62), sent(h1("POST", "/later", "Content-Length: 2"), "1"),
                           step(CONNECTS, KEPT | 3), sent("2")),
        "events": over(0, sent(events), tell, tell, end),
        "events-cut": over(0, sent(events), tell, cut),
        "events-leave": over(0, sent(events), tell, step(CONNECTS), tell),
        "events-half": over(0, sent(events), step(HALF_CLOSES), tell, end),
        "events-head": over(0, sent(h1("HEAD", "/events")), tell),
        "events-id": over(0, sent(h1("GET", "/events", "Last-Event-ID: 7")), tell),
        "events-bad-id": over(0, sent(h1("GET", "/events", "Last-Event-ID: x")), sent(h1("GET", "/events?after=-1"))),
        "events-slow": over(0, step(READS_NOT), sent(events), *[tells] * 6, step(READS_NOT), tell, end),
        "events-full": over(0, step(READS_NOT), sent(events), *[tells] * 24),
        "events-others": over(0, *(sent(events) + step(CONNECTS) for _ in range(4)), tell),
        "h2": over(H2, sent(settings(), h2(b"GET", b"/now"))),
        "h2-post": over(H2, sent(h2(b"POST", b"/now", kind, end=False), data(b"x" * 64))),
        "h2-post-more": over(H2, sent(h2(b"POST", b"/now", kind, end=False), data(b"x" * 65))),
        "h2-length": over(H2, sent(h2(b"POST", b"/now", kind, (b"content-length", b"65"), end=False), data(b"x"))),
        "h2-later": over(H2, sent(h2_later), step(ANSWERS)),
        "h2-later-leaves": over(H2, sent(h2_later), step(CONNECTS), step(ANSWERS)),
        "h2-later-reset": over(H2, sent(h2_later, frame(RST, u32(8), 0, 1)), step(ANSWERS)),
        "h2-later-end": over(H2, sent(h2_later)),
        "h2-head": over(H2, sent(h2(b"HEAD", b"/now"), h2(b"OPTIONS", b"/now", stream=3), h2(b"GET", b"/no", stream=5))),
        "h2-of": over(H2, sent(h2(b"GET", b"/of/word"), h2(b"GET", b"/of/%2e", stream=3))),
        "h2-events": over(H2, sent(h2_events), tell, tell, end),
        "h2-events-cut": over(H2, sent(h2_events), tell, cut),
        "h2-events-leave": over(H2, sent(h2_events), tell, step(CONNECTS), tell),
        "h2-events-slow": over(H2, step(READS_NOT), sent(h2_events), *[tells] * 9, step(READS_NOT),
                               sent(frame(WINDOW, u32(1 << 20), 0, 1), frame(WINDOW, u32(1 << 20))), tell, end),
        "h2-events-others": over(H2, sent(*(h2(b"GET", b"/events", stream=1 + 2 * n) for n in range(4))), tell, end),
    }
    return seeds


TARGETS = [http_server]
