# SPDX-License-Identifier: Apache-2.0
"""Requests to the service's page, as fuzz_web_calls.c and web_browser.h have them: \\1 and a letter is what only the other
side of the page can know."""
from seeds.parts import u16
from seeds.texts import manifest_text

SIGN_IN, NO_AUTHORITY, NO_ORIGIN, LOOPBACK_ORIGIN = 1, 2, 4, 8
TLS, CERTIFICATE, UNIX, LOOPBACK = range(4)
FAILS, LATER, LEAVES, COUNTS, SPENT = 4, 8, 16, 32, 64
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW")
SESSION = "cookie: __Host-cocos-session=\1s"
BROWSER = "cookie: __Host-cocos-browser=\1b"
BEARER = "authorization: Bearer \1a"
SITE = "sec-fetch-site: same-origin"
FOLLOWED = ("sec-fetch-site: cross-site", "sec-fetch-mode: navigate")  # another site's form, as a browser sends it
FORM, JSON = "content-type: application/x-www-form-urlencoded", "content-type: application/json"


def asked(method, target, *headers, body=b"", way=TLS, fails=None, later=None, leaves=False, counts=None, spent=False,
          host="example.org"):
    how, more = way | LEAVES * leaves | SPENT * spent, b""
    for bit, number in ((FAILS, fails), (LATER, later), (COUNTS, counts)):
        if number is not None:
            how, more = how | bit, more + bytes([number])
    lines = "\n".join((f"host: {host}", *headers)).encode()
    body = body if isinstance(body, bytes) else body.encode()
    return (bytes([how]) + more + bytes([METHODS.index(method)]) + b"".join(u16(len(part)) + part for part in
                                                                             (target.encode(), lines, body)))


def web_calls():
    def run(*requests, flags=SIGN_IN):
        return bytes([flags]) + b"".join(requests)

    def posted(target, body, *headers, **how):
        return asked("POST", target, FORM, SITE, *headers, body=body, **how)

    create = "/api/computations"
    key = "idempotency-key: one"
    text = manifest_text()
    other, namesake = manifest_text(id="2", name="m"), manifest_text(id="2")
    unnamed = text.replace(b'"id": "1", ', b"")

    def made(*headers, body=text, target=create, way=UNIX, **how):
        return asked("POST", target, JSON, *headers, body=body, way=way, **how)

    begun = [asked("GET", "/me/passkey", SESSION), posted("/me/passkey/fresh", "csrf=\1c&name=key", SESSION)]
    new = "ticket=\1t&client=\1C&object=\1O"
    added = [*begun, asked("GET", "/passkey/\1p"), posted("/passkey/\1p", new)]
    used = "ticket=\1t&id=\1I&client=\1G&data=\1D&signature=\1S&handle=\1h"
    half = "ticket=\1t&half=" + "0" * 64 + "&id=\1I&client=\1G&data=\1D&signature=\1S&handle=\1h"
    shown = asked("GET", "/sign-in")
    tried = posted("/sign-in/passkey", used, BROWSER)

    def at_home(*requests):
        """The same at the address of loopback."""
        return run(*requests, flags=LOOPBACK_ORIGIN)

    local = {"way": LOOPBACK, "host": "localhost:8080"}
    home = "cookie: cocos-browser=\1b"
    link = [asked("POST", "/link", way=UNIX, host="localhost"), asked("GET", "/in/\1l", way=LOOPBACK, host="\1n")]
    inside = {"way": LOOPBACK, "host": "\1n"}
    kept = "cookie: cocos-session=\1k"
    status = "content-type: application/ocsp-request"
    ocsp = asked("POST", "/ocsp", status, body="\1R")
    plain = "csrf=\1c&id=\1i&workspace=default&name=n&description=&type=python&algorithm=" + "0f" * 32 + \
        "&provider=anna&arguments=&consumers=anna&security=none" + "".join(
            f"&d{row}_{field}=" for row in range(1, 6) for field in ("name", "file", "user"))
    token = b'{"name":"laptop","days":7}'
    own_token = asked("POST", "/api/me/tokens", JSON, SITE, SESSION, body=token)
    return {
        # creations
        "create": run(made()),
        "once": run(made(key), made(key), made(key, target=create + "?workspace=default")),
        "once-no-id": run(made(key, body=unnamed), made(key, body=unnamed), made(body=unnamed)),
        "once-other": run(made(key), made(key, body=other)),
        "once-two": run(made(key), made("idempotency-key: two", body=other)),
        "name-taken": run(made(key), made("idempotency-key: two", body=namesake)),
        "once-refused": run(made(key, body=b"{}"), made(key)),
        "once-key-empty": run(made("idempotency-key: ")),
        "once-key-space": run(made("idempotency-key: a b")),
        "once-key-most": run(made("idempotency-key: " + "k" * 64)),
        "once-key-more": run(made("idempotency-key: " + "k" * 65)),
        "once-key-twice": run(made(key, key)),
        "once-key-stranger": run(made(key, way=TLS)),
        "once-token": run(asked("POST", "/api/me/tokens", JSON, SITE, SESSION, key, body=token),
                          asked("POST", "/api/me/tokens", JSON, SITE, SESSION, key, body=token)),
        "once-session": run(made(key, SITE, SESSION, way=TLS), made(key, SITE, SESSION, way=TLS)),
        "once-no-place": run(made(key, target=create + "?workspace=lab")),
        "once-leaves": run(made(key, leaves=True), made(key)),
        **{f"once-fails-{number}": run(made(key, fails=number), made(key)) for number in range(1, 24)},
        **{f"once-again-fails-{number}": run(made(key), made(key, fails=number)) for number in range(1, 6)},
        # passkeys
        "passkey": run(*added, shown, tried, asked("GET", "/new", "cookie: __Host-cocos-session=\1k")),
        "passkey-twice": run(*added, shown, tried, tried),
        "passkey-count": run(*added, shown, posted("/sign-in/passkey", used, BROWSER, counts=5), shown,
                             posted("/sign-in/passkey", used, BROWSER, counts=3)),
        "passkey-late": run(*added, shown, posted("/sign-in/passkey", used, BROWSER, later=4)),
        "passkey-in-time": run(*added, shown, posted("/sign-in/passkey", used, BROWSER, later=3)),
        "passkey-new-late": run(*begun, asked("GET", "/passkey/\1p"), posted("/passkey/\1p", new, later=6)),
        "passkey-other-browser": run(*added, shown, posted("/sign-in/passkey", used, "cookie: __Host-cocos-browser=" + "0" * 32)),
        "passkey-no-browser": run(*added, shown, posted("/sign-in/passkey", used)),
        "passkey-browsers": run(asked("GET", "/sign-in", BROWSER + "; a=b"), asked("GET", "/sign-in", BROWSER), shown),
        "passkey-none": run(shown, tried),
        "passkey-form": run(posted("/sign-in/passkey", "ticket=0")),
        "passkey-ticket": run(*added, shown, posted("/sign-in/passkey", used.replace("\1t", "ff" * 24), BROWSER)),
        "passkey-second": run(*added, posted("/sign-in/code/passkey", half)),
        "passkey-signed": run(*added, shown, posted("/sign-in/passkey", used.replace("\1S", "00" * 64), BROWSER)),
        "passkey-ids": run(*added, *begun, asked("GET", "/passkey/\1p")),
        "passkey-other-form": run(begun[0], posted("/me/passkey/fresh", "csrf=" + "0" * 64 + "&name=key", SESSION)),
        "passkey-no-origin": run(*begun, shown, flags=SIGN_IN | NO_ORIGIN),
        "passkey-elsewhere": run(posted("/me/passkey/fresh", "csrf=\1c&name=key", SESSION, host="other.example"),
                                 asked("GET", "/sign-in", host="other.example")),
        "passkey-home": at_home(asked("GET", "/sign-in", **local), posted("/sign-in/passkey", used, home, **local)),
        "passkey-no-secret": run(asked("GET", "/passkey/" + "0" * 64), posted("/passkey/" + "0" * 64, new)),
        "passkey-leaves": run(*added, shown, posted("/sign-in/passkey", used, BROWSER, leaves=True), tried),
        **{f"passkey-fails-{number}": run(*added, shown, posted("/sign-in/passkey", used, BROWSER, fails=number))
           for number in range(1, 20, 3)},
        # sessions and forms
        "link": run(*link, asked("GET", "/new", kept, **inside), flags=0),
        "link-form": run(*link, asked("GET", "/new", kept, **inside), posted("/new", plain, kept, **inside), flags=0),
        "link-twice": run(*link, link[1], flags=0),
        "link-over-tls": run(asked("POST", "/link", way=CERTIFICATE), asked("POST", "/link", SESSION), asked("POST", "/link", **local)),
        "form": run(asked("GET", "/new", SESSION), posted("/new", plain, SESSION)),
        "form-other": run(asked("GET", "/new", SESSION), posted("/new", plain.replace("\1c", "0" * 64), SESSION)),
        "form-certificate": run(asked("GET", "/new", way=CERTIFICATE), posted("/new", plain, way=CERTIFICATE), flags=0),
        "form-no-site": run(asked("GET", "/new", SESSION), asked("POST", "/new", FORM, SESSION, body=plain)),
        "form-other-site": run(asked("POST", "/new", FORM, SESSION, "sec-fetch-site: cross-site", body=plain)),
        "form-other-site-in": run(asked("GET", "/new", SESSION), asked("POST", "/new", FORM, SESSION, "sec-fetch-site: cross-site", body=plain)),
        "form-revokes": run(own_token, asked("GET", "/new", SESSION), posted("/me/tokens/laptop", "csrf=\1c", SESSION)),
        "form-other-site-follows": run(own_token, asked("GET", "/new", SESSION),
                                       asked("POST", "/me/tokens/laptop", FORM, SESSION, *FOLLOWED, body="csrf=\1c"),
                                       asked("POST", "/me/tokens/laptop", FORM, SESSION, body="csrf=\1c")),
        "form-origin": run(asked("GET", "/new", SESSION), asked("POST", "/new", FORM, SESSION, "origin: https://example.org",
                                                               body=plain)),
        "form-other-origin": run(asked("POST", "/new", FORM, SESSION, "origin: https://example.com", body=plain)),
        "api-other-site": run(made("sec-fetch-site: cross-site")),
        "api-other-site-follows": run(made(SESSION, *FOLLOWED, way=TLS), made(BEARER, *FOLLOWED, way=TLS), made(*FOLLOWED)),
        "passkey-other-site-follows": run(*added, shown, asked("POST", "/sign-in/passkey", FORM, BROWSER, *FOLLOWED, body=used)),
        "api-site": run(made(SITE)),
        "api-cookie": run(made(SESSION, way=TLS), made(SESSION, SITE, way=TLS)),
        "token": run(asked("GET", "/new", "authorization: Bearer cocos_" + "0" * 64), asked("GET", "/new", "authorization: x"),
                     asked("GET", "/new", "authorization: a", "authorization: b")),
        "token-known": run(own_token, asked("GET", create, BEARER), asked("GET", create, BEARER, way=UNIX),
                           asked("GET", create, BEARER, SESSION), asked("GET", create, SESSION), asked("GET", create, BEARER, BEARER)),
        "token-socket": run(made("authorization: Bearer cocos_" + "0" * 64), made("authorization: x"), made("authorization: x", "authorization: y")),
        "token-certificate": run(asked("GET", create, way=CERTIFICATE), asked("GET", create, "authorization: Bearer cocos_" + "0" * 64, way=CERTIFICATE),
                                 asked("GET", create, "authorization: x", way=CERTIFICATE), flags=0),
        "stranger": run(*(asked("GET", "/new", way=way) for way in (TLS, CERTIFICATE, UNIX, LOOPBACK))),
        "cookies": run(asked("GET", "/new", SESSION, SESSION), asked("GET", "/new", "cookie: =\t;"),
                       asked("GET", "/new", SESSION + "0")),
        # how often
        "often": run(asked("GET", "/new", SESSION, spent=True), asked("GET", "/new", spent=True),
                     asked("GET", "/new", way=CERTIFICATE, spent=True), made(spent=True), asked("GET", "/page.css", SESSION, spent=True)),
        "often-token": run(own_token, asked("GET", create, BEARER), asked("GET", create, BEARER, spent=True),
                           asked("GET", create, BEARER, SESSION, spent=True),
                           asked("GET", create, BEARER.replace("\1a", "cocos_" + "0" * 64), spent=True)),
        "often-form": run(asked("GET", "/new", SESSION), posted("/new", plain, SESSION, spent=True),
                          posted("/me/tokens/laptop", "csrf=\1c", SESSION, spent=True)),
        "often-ends": run(own_token, asked("DELETE", "/api/me/tokens/laptop", BEARER, spent=True),
                          asked("GET", "/new", BEARER, spent=True), asked("GET", "/new", BEARER)),
        "often-home": run(*link, asked("GET", "/new", kept, spent=True, **inside), asked("GET", "/new", kept, **inside), flags=0),
        "often-html": run(asked("GET", "/new", SESSION, "accept: text/html", spent=True), asked("HEAD", "/new", SESSION, spent=True)),
        # status
        "ocsp": run(ocsp, asked("GET", "/ocsp/\1B"), asked("HEAD", "/ocsp/\1B")),
        "ocsp-known": run(asked("GET", "/ocsp/\1B"), asked("GET", "/ocsp/\1B", 'if-none-match: "x"', "if-none-match: *")),
        "ocsp-often": run(*[ocsp] * 6),
        "ocsp-cut": run(asked("POST", "/ocsp", status, body="0"), asked("GET", "/ocsp/MA=="), asked("GET", "/ocsp/a/b+c%2f!"),
                        asked("POST", "/ocsp", status)),
        "ocsp-none": run(ocsp, asked("GET", "/ocsp/\1B"), flags=NO_AUTHORITY),
        "ocsp-long": run(asked("POST", "/ocsp", status, body="0" * 4097), asked("POST", "/ocsp", body="\1R")),
        "ocsp-leaves": run(asked("POST", "/ocsp", status, body="\1R", leaves=True)),
        **{f"ocsp-fails-{number}": run(asked("GET", "/ocsp/\1B", fails=number)) for number in (1, 2, 3, 4)},
        # what is none of these
        "methods": run(*(asked(method, "/new", SESSION) for method in METHODS)),
        "methods-stranger": run(*(asked(method, create, "authorization: Bearer cocos_" + "0" * 64) for method in METHODS),
                                *(asked(method, "/me/tokens/{name}") for method in METHODS),
                                *(asked(method, "/api/me/tokens/laptop", "authorization: Bearer cocos_" + "0" * 64) for method in METHODS)),
        "targets": run(*(asked("GET", target, SESSION) for target in
                         ("", "*", "new", "/nothing", "//", "/new/", "/new?from=a", "/new?x=1", "/new?from=a&from=b", "/%00"))),
        "target-long": run(asked("GET", "/" + "a" * 4096), asked("GET", "/new?from=" + "a" * 4080, SESSION)),
        "lengths": run(made("content-length: 5"), made("content-length: x"), made("content-length: -1"),
                       made("content-length: 99999999999999999999"), made("content-length: 262145")),
        "types": run(asked("POST", create, "content-type: text/plain", way=UNIX, body=text),
                     asked("POST", create, "content-type: application/json; charset=utf-8", way=UNIX, body=text),
                     asked("POST", create, way=UNIX, body=text), asked("POST", create, "content-type: /", way=UNIX)),
        "body-long": run(posted("/sign-in", "x" * 4001)),
        "html": run(asked("GET", "/nothing", "accept: text/html"), asked("GET", "/new", "accept: text/html"),
                    asked("BREW", "/new", "accept: text/html")),
        "trace": run(asked("GET", "/passkey.js", "traceparent: 00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
                     asked("GET", "/passkey.js", "traceparent: 00", "traceparent: 00")),
        "host-long": run(asked("GET", "/sign-in", host="h" * 256), asked("GET", "/sign-in", host="h" * 255)),
        "left-out": run(asked("GET", "/api/openapi.json"), asked("GET", "/", SESSION)),
        "manifest": run(made(), asked("GET", create + "/1/manifest", way=UNIX), asked("GET", "/c/1/manifest", SESSION)),
    }


TARGETS = [web_calls]
