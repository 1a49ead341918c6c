# SPDX-License-Identifier: Apache-2.0
"""Certificates and lists of revoked ones, with zeros for a signature."""
import base64

from seeds.parts import bits, der, oid, saved
from seeds.tokens import X, Y

P256_SHA256 = der(0x30, oid("1.2.840.10045.4.3.2"))
P384_SHA384 = der(0x30, oid("1.2.840.10045.4.3.3"))
EC, P256, RSA = oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"), oid("1.2.840.113549.1.1.1")
POINT = b"\4" + X + Y


def name(*words):
    return der(0x30, *(der(0x31, der(0x30, oid(kind), der(tag, text))) for kind, tag, text in words))


NOBODY = name(("2.5.4.10", 12, b"Nobody"), ("2.5.4.3", 12, b"Test"))


def number(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def spki(algorithm=None, key=POINT):
    return der(0x30, algorithm or der(0x30, EC, P256), bits(key))


def rsa(modulus, exponent=65537, null=b"\5\0"):
    return spki(der(0x30, RSA, null), der(0x30, der(2, modulus), number(exponent)))


def extension(kind, value, critical=None):
    return der(0x30, oid(kind), b"" if critical is None else der(1, bytes([critical])), der(4, value))


VALIDITY = der(0x30, der(23, b"260301120000Z"), der(24, b"20510301120000Z"))
CA = extension("2.5.29.19", der(0x30, b"\1\1\xff", number(1)), 255)
USAGE = extension("2.5.29.15", der(3, b"\1\6"), 255)


def certificate(version=2, serial=number(1), inner=P256_SHA256, outer=P256_SHA256, issuer=NOBODY,
    validity=VALIDITY,
                subject=NOBODY, key=None, extensions=(CA, USAGE), rest=b"", after=b"",
                    signature=bits(bytes(64))):
    listed = der(0xa3, der(0x30, *extensions)) if extensions else b""
    tbs = der(0x30, der(0xa0, number(version)), serial, inner, issuer, validity, subject, key or spki(),
        listed, rest)
    return der(0x30, tbs, outer, signature, after)


def pem(content, label="CERTIFICATE", width=64, end="\n"):
    text = base64.b64encode(content).decode()
    lines = [text[i:i + width] for i in range(0, len(text), width)]
    return end.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def x509():
    good, other = certificate(), certificate(subject=name(("2.5.4.3", 12, b"Other")))
    odd = b"\0" + b"\xff" * 256
    return {
        "good": good,
        "pem": pem(good),
        "pem-crlf": pem(good, end="\r\n"),
        "pem-zero": pem(good) + b"\0",
        "pem-two": pem(good) + b" \t" + pem(other) + pem(good),
        "pem-nine": pem(good) * 9,
        "pem-rest": pem(good) + b"rest",
        "pem-label": pem(good, "THING"),
        "pem-wide": pem(good, width=80),
        "pem-ragged": pem(good).replace(b"\n", b"\n\n", 3),
        "pem-lines-differ": pem(good)[:40] + b"\n" + pem(good)[40:],
        "pem-no-base64": pem(good).replace(b"MII", b"M!!"),
        "pem-broken-inside": pem(b"0"),
        "pem-unended": pem(good)[:-30],
        "pem-no-line-end": b"-----BEGIN CERTIFICATE-----x",
        "version-1": certificate(version=0),
        "serial-long": certificate(serial=der(2, b"\1" * 30)),
        "algorithms-differ": certificate(inner=P384_SHA384),
        "after": certificate(after=b"\5\0"),
        "rest": certificate(rest=b"\5\0"),
        "validity-three": certificate(validity=der(0x30, der(23, b"260301120000Z"), der(23,
            b"260301120000Z"), b"\5\0")),
        **{f"time-{n}": certificate(validity=der(0x30, der(tag, text), der(23, b"270301120000Z"))) for n,
            (tag, text) in enumerate([(23, b"260231120000Z"), (23, b"2603011200Z"), (23, b"260301126100Z"),
            (24, b"20260301120000+"), (12, b"260301120000Z"), (23, b"26030112000xZ"), (23, b"261301120000Z"),
            (23, b"990301120000Z"), (24, b"19000301120000Z"), (24, b"20490301120000Z")])},
        "no-extensions": certificate(extensions=()),
        "extensions-empty": certificate(extensions=(), rest=der(0xa3, der(0x30))),
        "extension-twice": certificate(extensions=[CA, CA]),
        "extension-false": certificate(extensions=[extension("2.5.29.17", b"\5\0", 0)]),
        "extension-three": certificate(extensions=[der(0x30, oid("1.2.3"), der(4, b""), b"\5\0")]),
        "extensions-many": certificate(extensions=[extension(f"1.2.3.{n}", b"") for n in range(40)]),
        "critical-unknown": certificate(extensions=[extension("1.2.3", b"", 255)]),
        "critical-use": certificate(extensions=[extension("2.5.29.37", b"\5\0", 255), extension("2.5.29.17",
            b"\5\0")]),
        "path-long": certificate(extensions=[extension("2.5.29.19", der(0x30, b"\1\1\xff", number(100)),
            255)]),
        "path-no-ca": certificate(extensions=[extension("2.5.29.19", der(0x30, number(1)), 255)]),
        "usage-long": certificate(extensions=[extension("2.5.29.15", der(3, b"\0\1\2\3"), 255)]),
        "usage-bits": certificate(extensions=[extension("2.5.29.15", der(3, b"\1\7"), 255)]),
        "rsa": certificate(key=rsa(odd)),
        "rsa-exponent-3": certificate(key=rsa(odd, 3)),
        "rsa-short": certificate(key=rsa(odd[:200])),
        "rsa-even": certificate(key=rsa(odd[:-1] + b"\xfe")),
        "rsa-no-null": certificate(key=rsa(odd, null=b"")),
        "key-curve": certificate(key=spki(der(0x30, EC, oid("1.3.132.0.10")))),
        "key-compressed": certificate(key=spki(key=b"\2" + X)),
        "key-off-curve": certificate(key=spki(key=b"\4" + X + X)),
        "key-ed25519": certificate(key=spki(der(0x30, oid("1.3.101.112")), X)),
        "key-empty": certificate(key=spki(key=b"")),
        "key-unused-bits": certificate(key=der(0x30, der(0x30, EC, P256), der(3, b"\1" + POINT))),
        "name-two": certificate(subject=name(("2.5.4.3", 12, b"a"), ("2.5.4.3", 12, b"b"))),
        "name-none": certificate(subject=der(0x30)),
        "name-bmp": certificate(subject=name(("2.5.4.3", 30, b"\0a"))),
        "name-control": certificate(subject=name(("2.5.4.3", 12, b"\1"))),
        "name-long": certificate(subject=name(("2.5.4.3", 12, b"a" * 100))),
        "name-three": certificate(subject=der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(12, b"a"),
            b"\5\0")))),
        "name-broken": certificate(subject=der(0x30, der(0x31, der(0x30, oid("2.5.4.3"))))),
        "empty-sequence": b"\x30\0",
        "bytes-after": good + b"\0",
        # Not in DER's only form.
        "long-length": b"\x30\x81\x01\0",
        "indefinite": b"\x30\x80\0\0",
        "length-cut": b"\x30\x82\1",
        "length-zero-led": b"\x30\x82\0\x01\0",
        "length-wide": b"\x30\x85\1\1\1\1\1",
        "tag-long": b"\x3f\x81\1\0",
        "deep": b"\x30\x04\x30\x02\x30\x00",
        "bool-1": b"\x30\3\1\1\1",
        "number-padded": b"\x30\4\2\2\0\1",
        "number-empty": b"\x30\2\2\0",
        "oid-padded": b"\x30\4\6\2\x80\1",
        "oid-cut": b"\x30\3\6\1\x81",
        "null-full": b"\x30\3\5\1\0",
        "bits-empty": b"\x30\2\3\0",
        "bits-unused": b"\x30\4\3\2\1\1",
        "bits-eight": b"\x30\4\3\2\x08\0",
        "bits-none-unused": b"\x30\3\3\1\1",
        "set-unsorted": der(0x30, der(0x31, number(2), number(1))),
        "constructed-text": b"\x30\2\x2c\0",
        "set-sorted": der(0x30, der(0x31, number(1), number(2)), der(1, b"\xff"), der(1, b"\0")),
        "number-negative-padded": b"\x30\4\2\2\xff\x80",
        **{f"der-depth-{n}": nested(n) for n in (20, 200)},
    }


def nested(depth):
    out = b"\5\0"
    for _ in range(depth):
        out = der(0x30, out)
    return out


def crl(version=1, inner=P256_SHA256, issuer=NOBODY, first=der(23, b"260301120000Z"), last=der(23,
    b"260401120000Z"), revoked=(),
        extensions=(), rest=b"", after=b"", raw=b""):
    listed = der(0x30, *revoked) if revoked else b""
    extra = der(0xa0, der(0x30, *extensions)) if extensions else b""
    tbs = der(0x30, number(version), inner, issuer, first, last, listed, raw, extra, rest)
    return der(0x30, tbs, P256_SHA256, bits(bytes(64)), after)


def entry(serial, *rest):
    return der(0x30, number(serial), der(23, b"260301120000Z"), *rest)


def x509_crl():
    counted = extension("2.5.29.20", number(7))
    good = crl(revoked=[entry(1), entry(70000, der(0x30, extension("2.5.29.21", b"\x0a\1\1")))],
        extensions=[counted])
    return {
        "good": good,
        "pem": pem(good, "X509 CRL"),
        "pem-label": pem(good),
        "version-1": crl(version=0),
        "algorithms-differ": crl(inner=P384_SHA384),
        "no-next": crl(last=b""),
        "rest": crl(rest=b"\5\0"),
        "after": crl(after=b"\5\0"),
        "bytes-after": good + b"\0",
        "empty": der(0x30),
        "revoked-empty": crl(raw=der(0x30)),
        "entry-empty": crl(revoked=[der(0x30)]),
        "entry-critical": crl(revoked=[entry(1, der(0x30, extension("2.5.29.29", b"\5\0", 255)))]),
        "entry-four": crl(revoked=[entry(1, der(0x30, counted), b"\5\0")]),
        "entry-extensions-empty": crl(revoked=[entry(1, der(0x30))]),
        "critical": crl(extensions=[extension("2.5.29.28", b"\5\0", 255)]),
        "part": crl(extensions=[extension("2.5.29.28", b"\5\0")]),
        "delta": crl(extensions=[extension("2.5.29.27", number(1))]),
        "twice": crl(extensions=[counted, counted]),
        "number-bytes": crl(extensions=[extension("2.5.29.20", b"\4\0")]),
        "number-more": crl(extensions=[extension("2.5.29.20", number(1) + b"\5\0")]),
        "extension-three": crl(extensions=[der(0x30, oid("1.2.3"), der(4, b""), b"\5\0")]),
        "extensions-two": crl(rest=der(0xa0, der(0x30), b"\5\0")),
        "extensions-empty": crl(rest=der(0xa0, der(0x30))),
        "old": crl(first=der(24, b"20510301120000Z")),
        "milan": saved("x509_crl/two"),
    }


def crl_set():
    """What x509_crl() has, as files; the fuzz target signs them."""
    lists = x509_crl()
    good, other = lists["good"], crl(issuer=name(("2.5.4.3", 12, b"Other")), revoked=[entry(1)])
    first = der(0x30, P256_SHA256, NOBODY, der(23, b"260301120000Z"), der(23, b"260401120000Z"), der(0x30, entry(1)))
    return {
        **{k: v for k, v in lists.items() if k != "milan"},
        "first-version": der(0x30, first, P256_SHA256, bits(bytes(64))),
        "first-version-entry": crl(revoked=[entry(1)]).replace(number(1), b"", 1),
        "two-der": good + other,
        "two-pem": b"# one\n" + pem(good, "X509 CRL") + b"# other\n" + pem(other, "X509 CRL"),
        "one-twice": good + good,
        "too-many": other * 33,
        "half": pem(good, "X509 CRL")[:200],
        "der-and-more": good + b"\5\0",
        "text": b"no list\n",
        "future": good + crl(issuer=name(("2.5.4.3", 12, b"Other")), first=der(23, b"270301120000Z"),
                             last=der(23, b"270401120000Z")),
        "none-revoked": crl(extensions=[extension("2.5.29.20", number(9))]),
        "times": crl(first=der(23, b"260301120000Z"), last=der(23, b"260201120000Z")),
        "time-none": crl(first=b""),
        "issuer-empty": crl(issuer=der(0x30)),
        "issuer-odd": crl(issuer=der(0x30, b"\5\0")),
        "serial-32": crl(revoked=[entry(1 << 248), entry(1)]),
        "serial-33": crl(revoked=[entry(1 << 256)]),
        "critical-unknown": crl(extensions=[extension("1.2.3", b"\5\0", 255)]),
        "critical-false": crl(extensions=[extension("1.2.3", b"\5\0", 0)]),
        "number-21": crl(extensions=[extension("2.5.29.20", number(1 << 160))]),
        "number-negative": crl(extensions=[extension("2.5.29.20", b"\2\1\xff")]),
        "many-extensions": crl(extensions=[extension(f"1.2.{n}", b"\5\0") for n in range(17)]),
        "unsorted": crl(revoked=[entry(n) for n in (70000, 3, 129, 2, 1)]),
    }


CVM = name(("2.5.4.3", 12, b"cvm-1"))
ED25519 = der(0x30, oid("1.3.101.112"))


def request(version=0, subject=CVM, key=None, attributes=b"", algorithm=P256_SHA256, after=b""):
    info = der(0x30, der(2, bytes([version])), subject, key or spki(), der(0xa0, attributes))
    return der(0x30, info, algorithm, bits(bytes(64)), after)


def signing_request():
    def asks(*extensions):
        return der(0x30, oid("1.2.840.113549.1.9.14"), der(0x31, der(0x30, *extensions)))

    good = request()
    return {
        "good": good,
        "nobody": request(subject=der(0x30)),
        "printable": request(subject=name(("2.5.4.3", 19, b"cvm-1"))),
        "another": request(subject=name(("2.5.4.3", 12, b"cvm-2"))),
        "longer": request(subject=name(("2.5.4.3", 12, b"cvm-1\0"))),
        "wide": request(subject=name(("2.5.4.3", 30, b"\0c\0v\0m\0-\0001"))),
        "two": request(subject=name(("2.5.4.3", 12, b"cvm-1"), ("2.5.4.3", 12, b"cvm-1"))),
        "organization": request(subject=name(("2.5.4.10", 12, b"cvm-1"))),
        "version-2": request(version=1),
        "authority": request(attributes=asks(CA)),
        "other-names": request(attributes=asks(extension("2.5.29.17", der(0x30, der(0x82, b"vm1"))))),
        "challenge": request(attributes=der(0x30, oid("1.2.840.113549.1.9.7"), der(0x31, der(12, b"secret")))),
        "sha-1": request(algorithm=der(0x30, oid("1.2.840.10045.4.1"))),
        "algorithm-none": request(algorithm=der(0x30, oid("1.2.3"))),
        "ed25519": request(key=spki(ED25519, bytes(range(32))), algorithm=ED25519),
        "ed25519-short": request(key=spki(ED25519, bytes(31)), algorithm=ED25519),
        "rsa": request(key=rsa(b"\0" + b"\xff" * 256), algorithm=der(0x30, oid("1.2.840.113549.1.1.11"), b"\5\0")),
        "rsa-4104": request(key=rsa(b"\0" + b"\xff" * 513), algorithm=der(0x30, oid("1.2.840.113549.1.1.11"), b"\5\0")),
        "rsa-1024": request(key=rsa(b"\0" + b"\xff" * 128), algorithm=der(0x30, oid("1.2.840.113549.1.1.11"), b"\5\0")),
        "off-curve": request(key=spki(key=b"\4" + bytes(64))),
        "no-attributes": der(0x30, der(0x30, der(2, b"\0"), CVM, spki()), P256_SHA256, bits(bytes(64))),
        "after": request(after=b"\5\0"),
        "bytes-after": good + b"\0",
        "long-length": b"\x30\x83\0" + good[2:] if good[1] < 128 else good[:1] + b"\x83\0" + good[2:],
        "pem": pem(good, "CERTIFICATE REQUEST"),
        "empty": der(0x30),
        "full": request(attributes=der(0x30, bytes(4096 - len(good)))),
    }


CLIENT = extension("2.5.29.37", der(0x30, oid("1.3.6.1.5.5.7.3.2")))
SIGNS = extension("2.5.29.15", der(3, b"\7\x80"), 255)
NO_CA = extension("2.5.29.19", der(0x30), 255)
AGAIN, BEFORE, TEXT, AUTHORITY, SERIAL, ROLE, WHO, OTHER = (1 << n for n in range(8))


def other_names(*names):
    return extension("2.5.29.17", der(0x30, *names))


def spiffe(text):
    return other_names(der(0x86, text))


def week(first=b"260301120000Z", last=b"260302120000Z"):
    return der(0x30, der(23, first), der(23, last))


def ca_answer():
    ID = spiffe(b"spiffe://example.org/agent/cvm-1")

    def one(flags=AGAIN, subject=CVM, extensions=(NO_CA, SIGNS, CLIENT, ID), validity=week(), serial=number(0x4142), **more):
        return bytes([flags]) + certificate(subject=subject, extensions=extensions, validity=validity, serial=serial, **more)

    def named(*names):
        return one(extensions=(NO_CA, SIGNS, CLIENT, *names))

    good = one()
    return {
        "good": good,
        "renewal": one(AGAIN | BEFORE),
        "renewal-of-another": one(AGAIN | BEFORE | OTHER),
        "another-key": one(0),
        "another-serial": one(AGAIN | SERIAL),
        "another-role": one(AGAIN | ROLE),
        "another-name-said": one(AGAIN | WHO),
        "no-subject": one(subject=der(0x30)),
        "two-common-names": one(subject=name(("2.5.4.3", 12, b"cvm-1"), ("2.5.4.3", 12, b"cvm-1"))),
        "another-common-name": one(subject=name(("2.5.4.3", 12, b"cvm-2"))),
        "no-names": named(),
        "two-names": named(other_names(der(0x86, b"spiffe://a/agent/cvm-1"), der(0x82, b"a"))),
        "dns": named(other_names(der(0x82, b"cvm-1"))),
        "deeper": named(spiffe(b"spiffe://a/b/agent/cvm-1")),
        "no-domain": named(spiffe(b"spiffe:///agent/cvm-1")),
        "https": named(spiffe(b"https://a.org/agent/cvm-1")),
        "broken-names": named(extension("2.5.29.17", b"\5\0")),
        "version-1": one(version=0, extensions=()),
        "authority": one(extensions=(CA, SIGNS, CLIENT, ID)),
        "signs-certificates": one(extensions=(NO_CA, USAGE, CLIENT, ID)),
        "no-usage": one(extensions=(NO_CA, CLIENT, ID)),
        "no-purpose": one(extensions=(NO_CA, SIGNS, ID)),
        "any-purpose": one(extensions=(NO_CA, SIGNS, extension("2.5.29.37", der(0x30, oid("2.5.29.37.0"))), ID)),
        "critical": one(extensions=(NO_CA, SIGNS, CLIENT, ID, extension("1.2.3", b"\5\0", 255))),
        "ended": one(validity=week(b"250301120000Z", b"250302120000Z")),
        "early": one(validity=week(b"270301120000Z", b"270302120000Z")),
        "long": one(validity=week(b"260301120000Z", b"260501120000Z")),
        "no-time": one(validity=der(0x30, der(23, b"2603011200Z"), der(23, b"26"))),
        "serial-33": one(serial=number(1 << 256)),
        "serial-negative": one(serial=der(2, b"\xff")),
        "serial-zero": one(serial=der(2, b"\0")),
        "text": bytes([TEXT]) + pem(good[1:]),
        "text-label": bytes([TEXT]) + pem(good[1:], "THING"),
        "text-header": bytes([TEXT]) + pem(good[1:]).replace(b"-----\n", b"-----\nProc-Type: 4,X\n\n", 1),
        "text-behind": bytes([TEXT]) + pem(good[1:]) + b"x",
        "text-twice": bytes([TEXT]) + 2 * pem(good[1:]),
        "text-bytes-behind": bytes([TEXT]) + pem(good[1:] + b"\0"),
        "text-large": bytes([TEXT]) + b"x" * 16385,
        "authority-cut": bytes([TEXT | AUTHORITY]) + pem(good[1:])[:-10],
        "authority-rsa": bytes([AUTHORITY]) + certificate(key=rsa(b"\0" + b"\xff" * 128)),
        "authority-another": bytes([AUTHORITY]) + certificate(),
    }


HASHES = {"sha1": (oid("1.3.14.3.2.26"), 20), "sha256": (oid("2.16.840.1.101.3.4.2.1"), 32)}
NONCE = "1.3.6.1.5.5.7.48.1.2"


def cert_id(kind="sha1", null=b"\5\0", serial=None, name_len=None, key_len=None, rest=b""):
    algorithm, length = HASHES[kind]
    return der(0x30, der(0x30, algorithm, null), der(4, bytes(length if name_len is None else name_len)),
               der(4, bytes(length if key_len is None else key_len)), serial or der(2, bytes([0x41] * 16)), rest)


def question(*certs, extensions=b"", before=b"", after=b"", behind=b""):
    listed = [der(0x30, c) for c in certs or (cert_id(),)]
    return der(0x30, der(0x30, before, der(0x30, *listed), extensions, after), behind)


def said(*extensions):
    return der(0xa2, der(0x30, *extensions))


def nonce(length, critical=None):
    return extension(NONCE, der(4, bytes(length)), critical)


def ocsp_request():
    crit = extension("1.2.3", b"", 255)
    good = question()
    return {
        "good": good,
        "sha256": question(cert_id("sha256")),
        "no-parameters": question(cert_id(null=b"")),
        "odd-parameters": question(cert_id(null=der(2, b"\1"))),
        "long-null": question(cert_id(null=der(5, b"\0"))),
        "other-hash": question(der(0x30, der(0x30, oid("1.2.3")), der(4, b"a"), der(4, b"b"), der(2, b"\1"))),
        "eight": question(*[cert_id()] * 8),
        "nine": question(*[cert_id()] * 9),
        "none": der(0x30, der(0x30, der(0x30))),
        "nonce-1": question(extensions=said(nonce(1))),
        "nonce-32": question(extensions=said(nonce(32))),
        "nonce-128": question(extensions=said(nonce(128))),
        "nonce-0": question(extensions=said(nonce(0))),
        "nonce-129": question(extensions=said(nonce(129))),
        "nonce-critical": question(extensions=said(nonce(32, 255))),
        "nonce-twice": question(extensions=said(nonce(32), nonce(32))),
        "nonce-bare": question(extensions=said(extension(NONCE, bytes(16)))),
        "nonce-more": question(extensions=said(extension(NONCE, der(4, b"a") + b"\5\0"))),
        "other-extension": question(extensions=said(extension("1.2.3", b"\5\0"), nonce(8))),
        "critical-extension": question(extensions=said(crit)),
        "no-extensions": question(extensions=said()),
        "extensions-more": question(extensions=der(0xa2, der(0x30, nonce(8)), b"\5\0")),
        "extension-more": question(extensions=said(der(0x30, oid("1.2.3"), der(4, b""), b"\5\0"))),
        "single-extension": question(cert_id() + der(0xa0, der(0x30, extension("1.2.3", b"\5\0")))),
        "single-critical": question(cert_id() + der(0xa0, der(0x30, crit))),
        "single-nonce": question(cert_id() + der(0xa0, der(0x30, nonce(8)))),
        "single-more": question(cert_id() + b"\5\0"),
        "id-more": question(cert_id(rest=b"\5\0")),
        "id-no-name": question(cert_id(name_len=0)),
        "id-long-key": question(cert_id(key_len=65)),
        "serial-20": question(cert_id(serial=der(2, b"\1" * 20))),
        "serial-21": question(cert_id(serial=der(2, b"\1" * 21))),
        "serial-negative": question(cert_id(serial=der(2, b"\xff"))),
        "serial-text": question(cert_id(serial=der(4, b"1"))),
        "version-1": question(before=der(0xa0, number(0))),
        "version-2": question(before=der(0xa0, number(1))),
        "version-more": question(before=der(0xa0, number(0), number(0))),
        "name": question(before=der(0xa1, der(0x82, b"me"))),
        "signed": question(behind=der(0xa0, der(0x30, P256_SHA256, bits(bytes(64))))),
        "behind": question(behind=der(0xa1, b"")),
        "after": question(after=der(0xa3, b"")),
        "bytes-after": good + b"\0",
        "long-length": good[:1] + b"\x83\0" + good[2:],
        "empty": der(0x30),
        "full": question(extensions=said(extension("1.2.3", bytes(4096)))),
    }


TARGETS = [x509, x509_crl, crl_set, signing_request, ca_answer, ocsp_request]
