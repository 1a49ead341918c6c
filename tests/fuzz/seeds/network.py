# SPDX-License-Identifier: Apache-2.0
"""What comes from networks: leases, headers and frames of gRPC, answers of HTTP services."""
from seeds.certificates import certificate
from seeds.parts import protobuf, u16, u24, u32

MAC = bytes.fromhex("525400123456")


# ---- DHCP; a transaction id of 0 stands for the one that is due ----

def reply(*options, address=0x0a00020f, op=2, mac=MAC, xid=0, magic=0x63825363, end=b"\xff"):
    listed = b"".join(bytes([number, len(value)]) + value for number, value in options)
    return (bytes([op, 1, 6, 0]) + u32(xid) + bytes(8) + u32(address) + bytes(8) + mac + bytes(10 + 192)
        + u32(magic)
            + listed + end)


def lease(kind, *more, server=0x0a000202, mask=0xffffff00, seconds=3600, **head):
    return reply((53, bytes([kind])), (54, u32(server)), (1, u32(mask)), (51, u32(seconds)), *more, **head)


def told(*messages, later=0):
    return b"".join(u16(len(message)) + bytes([later]) + message for message in messages)


def dhcp():
    offer, ack, nak = lease(2), lease(5), reply((53, b"\6"), (54, u32(0x0a000202)))
    rich = lease(2, (3, u32(0x0a000202) + u32(1)), (6, b"".join(u32(0x0a000203 + n) for n in range(10))),
        (26, u16(1400)), (99, b"x"), end=b"\0\0\xff")
    return {
        "rich": told(rich, ack),
        "held-long": told(offer, ack, b"", b"", b"", b"", b"", later=200),
        "for-ever": told(offer, lease(5, seconds=0xffffffff), b"", b""),
        "renewed": told(offer, ack) + told(b"", later=7) + told(ack, ack),
        "renewing-nak": told(offer, ack) + told(b"", later=7) + told(nak, nak),
        "no-answer": told(offer, b"", b"", b"", b"", b"", b"", b"", b"", later=1),
        "ack-other": told(offer, lease(5, address=0x0a000210)),
        "short": told(lease(2, seconds=1), ack),
        "mask": told(lease(2, mask=0xff00ff00), lease(2, mask=0)),
        "address": told(lease(2, address=0x7f000001), lease(2, address=0x0a0002ff)),
        "router": told(lease(2, (3, u32(0x7f000001))), lease(2, (3, u32(0x0a00020f)))),
        "mtu": told(lease(2, (26, u16(10)))),
        "cut": told(reply()[:100], reply(end=b"")),
        "request": told(reply(op=1), reply(magic=1)),
        "other-xid": told(lease(2, xid=5), lease(2, mac=bytes(6))),
        "long": told(bytes(2000)),
        "twice": told(lease(2, (53, b"\2"))),
        "option-length": told(lease(2, (26, b"x")), lease(2, (6, b"abcde")), lease(2, (3, b"abcde"))),
        "no-server": told(lease(2, server=0)),
        "other-server": told(offer, lease(5, server=0x0a000209)),
        "kind": told(lease(1)),
        "option-cut": told(reply(end=b"\x35\x05\x01")),
        "many": told(*[nak] * 70),
        "waits": told(offer, b"", b"", b"", b"", b"", b"", b"", later=16),
    }


# ---- gRPC ----

def grpc_headers():
    def header(key, value):
        return key + b"\n" + value

    return {
        **{f"reserved-{key.decode().strip(':')}": header(key, b"x") for key in (b"te", b"content-type",
            b"grpc-status", b":path")},
        "trace": header(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        "trace-later": header(b"traceparent", b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"),
        "trace-longer": header(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"),
        "trace-zero": header(b"traceparent", b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01"),
        "trace-upper": header(b"traceparent", b"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        "key-upper": header(b"Key", b"x"),
        "key-long": header(b"k" * 300, b"x"),
        "value-control": header(b"k", b"a\tb"),
        "value-many": header(b"k", b"x" * 9000),
        "bin-empty": header(b"x-bin", b""),
        "bin-two": header(b"x-bin", b"AAEC,AAEC,AAEC,AAEC,AAEC,AAEC,AAEC,AAEC,AAEC"),
        "bin-broken": header(b"x-bin", b"!"),
        "status-x": header(b"", b"1x"),
        "status-99": header(b"", b"99"),
        "timeouts-H": header(b"", b"99999999H"),
        "timeout-n": header(b"", b"1n"),
        "timeout-u": header(b"", b"1500u"),
        "timeout-S": header(b"", b"10S"),
        "timeout-M": header(b"", b"10M"),
        "timeout-x": header(b"", b"10x"),
        "timeout-long": header(b"", b"123456789S"),
        "port-text": header(b"", b"host:x"),
        "port-large": header(b"", b"host:70000"),
        "port-none": header(b"", b"host:"),
        "host-long": header(b"", b"h" * 300 + b":1"),
        "host-odd": header(b"", b"a/b:1"),
        "bracket-open": header(b"", b"[::1:80"),
        "bracket-empty": header(b"", b"[]:80"),
        "unix-empty": header(b"", b"unix:"),
        "unix-long": header(b"", b"unix:/" + b"x" * 200),
        "message-long": header(b"", b"%E2%98%BA" * 300),
        "message-control": header(b"", b"%01%0a%ff%"),
        **{f"http-{code}": header(b"k", b"%d" % code) for code in (400, 401, 403, 404, 429, 500)},
    }


def framed(*messages, flag=0):
    return b"".join(bytes([flag]) + u32(len(message)) + message for message in messages)


def grpc_framing():
    def step(piece, content):  # bytes in one piece, less one; odd ones are taken late
        return bytes([piece]) + content

    small = protobuf((3, protobuf((1, "id"))))
    many = framed(*[small] * 60)
    return {
        "many-late": step(254, many),
        "many-late-short": step(0, many),
        "many-early": step(255, many),
        "many-untaken": step(200, framed(*[small] * 17) + b"\0\0"),
        "refused-then-more": step(255, framed(*[b""] * 16, *[small] * 11) + b"\x27" + bytes(200)),
        "flag-2": step(255, framed(small, flag=2)),
        "large": step(255, framed(bytes(40000))),
        "large-cut": step(255, framed(bytes(60000))[:50000]),
        "untaken-late": step(254, framed(*[small] * 20)),
        "refill-bad": step(254, framed(*[small] * 20) + b"\2\0\0\0\0\0"),
        "empty": step(255, framed(b"", b"")),
        "text-zero": step(255, framed(protobuf((3, protobuf((1, b"a\0b")))))),
        "text-no-utf8": step(255, framed(protobuf((3, protobuf((1, b"\xff")))))),
        "nested-broken": step(255, framed(protobuf((3, b"\x0a\x05a")))),
        "unknown": step(255, framed(protobuf((99, b"x"), (98, 1)))),
        "wrong-type": step(255, framed(protobuf((3, 7)))),
        "no-message": step(255, framed(b"\xff")),
        "much": step(255, framed(protobuf((2, protobuf(*[(4, b"")] * 4000))))),
        "once": step(255, framed(protobuf((1, protobuf((1, bytes(300)), (2, "id"), (3, 1)))))),
        "untaken-rest": step(254, framed(*[small] * 40)[:-3]),
        "waits-much": step(254, framed(*[small] * 16, bytes(20000), *[small] * 30)),
    }


# ---- HTTP ----

def answer(*headers, status=b"200 OK", body=b"document", length=True):
    lines = [b"HTTP/1.1 " + status, *headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + body


def endorse_header():
    chain = b"X-Chain: -----BEGIN%20A%0A"
    return {
        "good": answer(chain),
        "other-name": answer(b"X-Other-Chain:\tAB%43 \t"),
        "case": answer(b"x-cHAIN: a"),
        "twice": answer(chain, chain),
        "both": answer(chain, b"X-Other-Chain: b"),
        "none": answer(),
        "empty-header": answer(b"X-Chain:  "),
        "half-escape": answer(b"X-Chain: %4"),
        "no-escape": answer(b"X-Chain: %zz"),
        "zero": answer(b"X-Chain: %00"),
        "empty": answer(chain, body=b""),
        "long": answer(chain, body=b"x" * 5000),
        "header-long": answer(b"X-Chain: " + b"a" * 66000),
        "headers-many": answer(*[b"X-%d: " % n + b"b" * 1000 for n in range(140)]),
        "not-found": answer(status=b"404 Not Found"),
        "teapot": answer(status=b"418 x"),
        "moved": answer(b"Location: http://127.0.0.1:1/", status=b"302 x"),
        "busy": answer(b"Retry-After: 100000", status=b"429 x"),
        "busy-for-ever": answer(b"Retry-After: 99999999999999", status=b"503 x"),
        "broken": answer(status=b"500 x"),
        "chunked": answer(chain, b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n", length=False),
        "chunked-cut": answer(chain, b"Transfer-Encoding: chunked", body=b"3\r\nab", length=False),
        "length-wrong": answer(chain, b"Content-Length: 100", length=False),
        "no-length": answer(chain, length=False),
        "no-http": b"HTTPS\r\n",
        "continue": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(chain),
        "packed": answer(chain, b"Content-Encoding: gzip"),
        "old": b"HTTP/1.0 200 OK\r\nX-Chain: a\r\n\r\nb",
        "cut": b"HTTP/1.1 200 OK\r\nX-Ch",
        "base-plain": b"http://127.0.0.1:80",
        "base-tls": b"https://host/path",
        "base-slash": b"https://host/",
        "base-user": b"https://a@host",
        "base-nobody": b"https:///x",
        "base-plain-other": b"http://host",
        "base-v6": b"http://[::1]/x",
        "base-local": b"http://localhostx",
    }


# ---- exported authenticators ----

SIGNING, NOT_SIGNING, P384, OTHER = range(4)
SHA384, CONTEXT, SIGNATURE, MAC, AFTER = (1 << n for n in range(5))


def asked(*extensions, schemes=(0x0403,), context=bytes(32), kind=17, schemes_raw=None, rest=b""):
    """A request; extensions are (type, content)."""
    offered = schemes_raw if schemes_raw is not None else u16(2 * len(schemes)) + b"".join(u16(s) for s in schemes)
    listed = b"".join(u16(number) + u16(len(content)) + content for number, content in ((13, offered),
        *extensions))
    body = bytes([len(context)]) + context + u16(len(listed)) + listed + rest
    return bytes([kind]) + u24(len(body)) + body


def binder(**more):
    parts = {"exporter_label": '"Attestation"', "aik_pub_hash": '"@H"', "binding": '"@B"', **more}
    return "{" + ",".join(f'"{name}":{value}' for name, value in parts.items() if value) + "}"


def attestation(**more):
    parts = {"version": "1", "media_type": '"application/eat+cwt"', "evidence": '"AAEC"',
        "binder": binder(), **more}
    return (0xff00, ("{" + ",".join(f'"{name}":{value}' for name, value in parts.items() if value)
        + "}").encode())


def carried(which, *extensions, content=b""):
    listed = b"".join(u16(number) + u16(len(text)) + text for number, text in extensions)
    return bytes([which]) + (u16(len(content)) + content if which == OTHER else b"") + u16(len(listed)) + listed


OFFER = (0xff00, b"")


def authenticator():
    def made(*certificates, flags=0, scheme=0x0403, request=asked(OFFER)):
        return u16(len(request)) + request + bytes([flags]) + u16(scheme) + b"".join(certificates)

    def raw(content, request=asked(OFFER)):
        return u16(len(request)) + request + content

    good, other = carried(SIGNING, attestation()), certificate()
    message = bytes([32]) + bytes(32)
    requests = {
        "no-offer": asked(),
        "offer-full": asked((0xff00, b"x")),
        "twice": asked(OFFER, OFFER),
        "kind": asked(OFFER, kind=11),
        "context": asked(OFFER, context=bytes(8)),
        "rest": asked(OFFER, rest=b"x"),
        "no-schemes": asked(OFFER, schemes=()),
        "schemes-odd": asked(OFFER, schemes_raw=b"\0\3abc"),
        "schemes-cut": asked(OFFER, schemes_raw=b"\0\\9a"),
        "schemes-many": asked(OFFER, schemes=[1] * 40),
        "many": asked(OFFER, *[(1000 + n, b"") for n in range(20)]),
        "long": asked(OFFER, (99, bytes(5000))),
    }
    return {
        "good": made(good),
        "sha384": made(good, flags=SHA384),
        "chain": made(good, carried(SIGNING)),
        "wrong-context": made(good, flags=CONTEXT),
        "wrong-signature": made(good, flags=SIGNATURE),
        "wrong-mac": made(good, flags=MAC),
        "bytes-after": made(good, flags=AFTER),
        "scheme": made(good, scheme=0x0503),
        "not-signing": made(carried(NOT_SIGNING, attestation())),
        "p384": made(carried(P384, attestation())),
        "none": made(),
        "bare": made(carried(SIGNING)),
        "second-has-it": made(good, carried(SIGNING, attestation())),
        "chain-wrong": made(good, carried(P384)),
        "many": made(good, *[carried(SIGNING)] * 9),
        "other-leaf": made(carried(OTHER, attestation(), content=other)),
        "broken-leaf": made(carried(OTHER, attestation(), content=b"x")),
        "not-offered": made(carried(SIGNING, attestation(), (99, b""))),
        "offered": made(carried(SIGNING, (99, b"x"), attestation()), request=asked(OFFER, (99, b""))),
        "extension-twice": made(carried(SIGNING, attestation(), attestation())),
        "not-ours": made(good, request=asked(OFFER, schemes=(0x0503, ))),
        "two-schemes": made(good, request=asked(OFFER, schemes=(0x0503, 0x0403))),
        **{f"extension-{name}": made(carried(SIGNING, attestation(**more))) for name,
            more in {"version-2": {"version": "2"}, "version-text": {"version": '"1"'},
            "media": {"media_type": '"x"'}, "media-number": {"media_type": "1"},
            "evidence-empty": {"evidence": '""'}, "evidence-broken": {"evidence": '"!"'},
            "evidence-none": {"evidence": None}, "more": {"more": "1"}, "binder-none": {"binder": None},
            "label": {"binder": binder(exporter_label='"x"')},
            "hash": {"binder": binder(aik_pub_hash='"AAAA"')},
            "hash-broken": {"binder": binder(aik_pub_hash='"!"')},
            "hash-none": {"binder": binder(aik_pub_hash=None)},
            "binding": {"binder": binder(binding='"@H"')},
            "binder-more": {"binder": binder(more="1")}}.items()},
        "extension-array": made(carried(SIGNING, (0xff00, b"[]"))),
        "extension-broken": made(carried(SIGNING, (0xff00, b"{"))),
        "extension-empty": made(carried(SIGNING, (0xff00, b""))),
        **{f"request-{name}": made(good, request=request) for name, request in requests.items()},
        "raw-kind": raw(b"\x14\0\0\0"),
        "raw-cut": raw(b"\x0b\0\0\x05"),
        "raw-certificate": raw(b"\x0b" + u24(3) + b"\0\0\0"),
        "raw-list": raw(b"\x0b" + u24(36 + 2) + message + u24(2) + b"\0\1"),
        "raw-extensions": raw(b"\x0b" + u24(36 + 5 + len(other) + 3) + message + u24(5 + len(other) + 3)
            + u24(len(other)) + other + u16(3) + b"\xff\0\1"),
        "frame": b"\1" + u32(3) + b"abc",
        "frame-cut": b"\1" + u32(300) + b"abc",
        "frame-empty": b"\1" + u32(0),
        "frame-large": b"\1" + u32(1 << 30),
        "frame-long": b"\1" + u32(1 << 16),
        "frame-kind": b"\2" + u32(3),
    }


def attested():
    client, server, work, honest = b"\0", b"\1", b"\0", b"\1\0\0\0"

    def raw(content):
        return b"".join(bytes([len(content[i:i + 200]) + 1]) + content[i:i + 200] for i in range(0,
            len(content), 200))

    def again(request):
        return b"\xff" + bytes([len(request)]) + request

    def in_frame(request):
        return raw(b"\1" + u32(len(request)) + request)

    other = asked(OFFER, context=b"\7" * 32)
    hello = u24(0) + b"\4\0" + u32(0)
    passed = server + honest + work
    return {
        "client-nothing": client + b"\xfd",
        "client-behind-good": client + honest + raw(hello) + work,
        "client-behind-bad": client + honest + raw(b"HTTP") + work,
        "client-behind-cut": client + honest + raw(hello[:4]) + work,
        "client-behind-stream": client + honest + raw(u24(0) + b"\4\0" + u32(1)) + work,
        "client-behind-late": client + honest + work + raw(hello),
        "client-behind-odd": client + honest + raw(b"\0\x80\0\4") + work,
        "server-again": passed + again(other) + work,
        "server-again-twice": passed + again(other) + work + again(other) + work,
        "server-again-same": passed + again(asked(OFFER, context=bytes([1, 2, 3]) + bytes(29))),
        "server-again-two": passed + again(other) + again(asked(OFFER)),
        "server-again-cancelled": passed + again(other) + b"\xfe" + again(asked(OFFER)) + work,
        "server-again-broken": passed + again(b"x") + again(b""),
        "server-again-closed": passed + again(other),
        "server-again-failed": passed + again(other) + b"\xfd",
        "server-failed": server + honest + b"\xfd",
        "server-behind": server + raw(b"\1" + u32(len(other)) + other + b"x"),
        "server-not-offered": server + in_frame(asked(OFFER, schemes=(0x0503, ))) + work,
        "server-own": server + in_frame(other) + work,
        "server-early": server + in_frame(other) + raw(b"x") + work,
        "server-long": server + raw(b"\1" + u32(5000)),
        "server-empty": server + raw(b"\1" + u32(0)),
        "server-again-not-offered": passed + again(asked(OFFER, schemes=(0x0503, ))),
        "server-again-no-offer": passed + again(asked()),
    }


def reattest():
    """Questions over a connection that is there, as fuzz_reattest.c has them."""
    honest, edited, raw, fails, other, stranger, message = range(7)

    def run(*questions, first=1):
        return bytes([first]) + b"".join(questions)

    def one(how, when=0, rest=b""):
        return bytes([how, when]) + rest

    return {
        "honest": run(one(honest), one(honest), one(honest)), "honest-random": run(one(honest), one(honest), first=0),
        "edited": run(*(one(edited, rest=u16(place) + b"\x01") for place in (0, 4, 40, 200, 400, 600, 65535)),
                      one(edited, rest=u16(7) + b"\0")),
        "raw": run(one(raw, rest=u16(0)), one(raw, rest=u16(4) + b"HTTP"), one(raw, rest=u16(9) + b"\x0b" + u24(300) + b"\0" * 5)),
        "other": run(one(other), one(honest)), "stranger": run(one(stranger), one(honest), one(stranger)),
        **{f"fails-{code}": run(one(fails, rest=bytes([code])), one(honest)) for code in (0, 4, 11, 13)},
        **{f"when-{bit}": run(one(honest, 1 << bit), one(honest), one(edited, 1 << bit, u16(9) + b"\x80")) for bit in range(8)},
        "moments": run(*(one(honest, when) for when in (0, 24, 48, 96, 40, 72, 104, 112))),
        **{f"message-{kind}": run(one(message, rest=bytes([kind])), one(honest)) for kind in range(1, 5)},
        "message-said": run(one(message, rest=b"\0\x01\x05abcde"), one(message, rest=b"\x05" + u16(2) + b"\x0a\x05")),
    }


def hook_url():
    """A webhook's URL, and behind a zero byte the networks that the operator lists."""
    return {
        "name": b"https://hooks.example.org/a%20b?c=d&e=f", "port": b"https://hooks.example.org:8443?x", "v4": b"https://8.8.8.8/x",
        "v6": b"https://[2606:4700::1]:444/x", "plain": b"http://10.1.2.3:80/x\x0010.0.0.0/8, fd00::/8 1.1.1.1",
        "plain-refused": b"http://8.8.8.8/\x0010.0.0.0/8", "localhost": b"HTTPS://a.LocalHost/\x00127.0.0.0/8 ::1/128",
        "loopback": b"https://127.0.0.1/", "loopback6": b"https://[::1]/\x00::/0", "mapped": b"https://[::ffff:10.0.0.1]/\x0010.0.0.0/8",
        "private6": b"https://[fd00::1]/", "empty": b"", "scheme": b"ftp://h", "no-host": b"https:///x", "colon": b"https://:1/",
        "port-0": b"https://h:0", "port-none": b"https://h:/", "port-large": b"https://h:65536", "port-word": b"https://h:4x",
        "user": b"https://a:b@h/", "fragment": b"https://h/#x", "space": b"https://h/a b", "percent": b"https://h/%4",
        "number": b"https://2130706433/", "hex": b"https://0x7f.1/", "dot": b"https://h./", "dash": b"https://-h/", "dash-end": b"https://h-/",
        "under": b"https://a_b/", "dots": b"https://a..b/", "brackets": b"https://[127.0.0.1]/", "bracket": b"https://[::1/",
        "label": b"https://" + b"a" * 64 + b"/", "host": b"https://" + b"a." * 127 + b"a/", "longest": b"https://h/" + b"x" * 502,
        "longer": b"https://h/" + b"x" * 503, "bits": b"https://h\x0010.0.0.1/8", "slash": b"https://h\x0010.0.0.0/",
        "slash-large": b"https://h\x0010.0.0.0/33", "no-net": b"https://h\x00lan", "nets": b"https://h\x00" + b"1.1.1.1 " * 33,
        "nets-long": b"https://h\x00" + b" " * 2049,
    }


def mail():
    """An address, a workspace, a user, a link and a server, with zero bytes between."""
    link, server = b"https://cocos.example.org:9466/invite/" + b"0a" * 32, b"smtp://mail.example.org:587"

    def of(address=b"anna@example.com", place=b"lab", user=b"head", where=link, url=server):
        return b"\0".join([address, place, user, where, url])
    return {
        "good": of(), "operator": of(user=b"", url=b"smtps://mail.example.org"), "plus": of(b"Anna.Ng+lab@Example.COM", url=b"smtp://[2001:db8::1]:25"),
        "empty": b"", "no-at": of(b"anna", url=b"smtp://"), "no-domain": of(b"anna@", url=b"smtp://x:0"), "no-local": of(b"@example.com", url=b"http://x"),
        "one-label": of(b"a@localhost", url=b"smtp://x/"), "number": of(b"a@127.0.0.1", url=b"smtp://u@x"), "two": of(b"a@b.de,c@d.de", url=b"smtp://[x]"),
        "header": of(b"a@b.de\r\nBcc: c@d.de", url=b"smtp://[::1"), "dots": of(b"a..b@c.de", url=b"smtp://-x"), "dot": of(b".a@c.de", url=b"smtp://x:65536"),
        "dash": of(b"-a@c.de", url=b"smtp://x:25a"), "label": of(b"a@-c.de", url=b"smtp://[::1]x"), "longest-local": of(b"a" * 64 + b"@c.de"),
        "longer-local": of(b"a" * 65 + b"@c.de"), "longer-label": of(b"a@" + b"b" * 64 + b".de"), "longer": of(b"a@" + b"b." * 130 + b"de"),
        "place": of(place=b"x\r\nBcc: y@z.de"), "place-long": of(place=b"x" * 64), "user": of(user=b"a b"), "link": of(where=b"https://x/\r\n"),
        "link-longest": of(where=b"x" * 400), "link-longer": of(where=b"x" * 401), "host-longer": of(url=b"smtp://" + b"x" * 254),
        "host-longest": of(url=b"smtp://" + b"x" * 253), "url-longer": of(url=b"smtp://" + b"x" * 300), "port-longest": of(url=b"smtps://x:65535"),
    }


TARGETS = [hook_url, mail, attested, reattest, authenticator, dhcp, grpc_headers, grpc_framing, endorse_header]
