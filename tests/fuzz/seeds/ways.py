# SPDX-License-Identifier: Apache-2.0
"""The way in with a provider of identities, as fuzz_web_oidc.c has it: requests, and what the provider says meanwhile."""
import json

from seeds.browsers import BROWSER, FORM, LOOPBACK, LOOPBACK_ORIGIN, SESSION, SIGN_IN, SITE, asked as requested
from seeds.parts import u16

ASK, DOCUMENT, KEYS, ANSWER, TOKEN, FAILS, STOPS = (bytes([kind]) for kind in range(7))
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
TRIP = "cookie: __Host-cocos-trip=\1w"
PASSWORD = "a horse of seven stables"
WRONG = {"cancelled": 1, "deadline": 4, "not-found": 5, "denied": 7, "exhausted": 8, "unavailable": 14}
ISSUERS = {"clinic": "https://idp.example", "lab": "https://lab.example/x/", "open": "https://open.example"}


def asked(*words, **how):
    return ASK + requested(*words, **how)


def said(kind, content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return kind + u16(len(content)) + content


def out(provider="clinic", *headers, **how):
    return asked("GET", f"/sign-in/with/{provider}", *headers, **how)


def back(provider="clinic", query="code=c&state=\1y", *headers, trip=TRIP, **how):
    return asked("GET", f"/sign-in/with/{provider}/back?{query}", *(trip,) if trip else (), *headers, **how)


def token(algorithm="EdDSA", header=None, raw=None, **claims):
    header = {"alg": algorithm, "kid": algorithm} if header is None else header
    all_claims = {"iss": ISSUERS["clinic"], "aud": "cocos", "nonce": "\1x", "sub": "42", "exp": "\1E", "iat": "\1N"}
    all_claims = {name: value for name, value in {**all_claims, **claims}.items() if value is not None}
    text = raw or json.dumps(all_claims).replace('"\\u0001E"', "\1E").replace('"\\u0001N"', "\1N").replace("\\u0001", "\1").encode()
    parts = json.dumps(header).encode(), text
    return TOKEN + bytes([ALGORITHMS.index(algorithm)]) + b"".join(u16(len(part)) + part for part in parts)


def link(provider="clinic", proof="\1o", name="anna", password=PASSWORD, factor="", headers=(TRIP,), **how):
    body = f"proof={proof}&name={name}&password={password.replace(' ', '+')}&factor={factor}"
    return asked("POST", f"/sign-in/with/{provider}/link", FORM, SITE, *headers, body=body, **how)


def posted(target, body, *headers, **how):
    return asked("POST", target, FORM, SITE, *headers, body=body, **how)


def web_oidc():
    def run(*steps, flags=SIGN_IN):
        return bytes([flags]) + b"".join(steps)

    idp = ISSUERS["clinic"]
    right = {"issuer": idp, "authorization_endpoint": idp + "/a?x=1", "token_endpoint": idp + "/t", "jwks_uri": idp + "/k",
             "response_types_supported": ["code"], "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    new = {"groups": ["staff", "heads"], "preferred_username": "berta"}
    lab = {"iss": ISSUERS["lab"], "aud": "id:7"}
    linked = [out(), token(), back(), link()]
    again = [out(), token(), back()]
    factor = [posted("/me/factor", "csrf=\1c&password=" + PASSWORD.replace(" ", "+"), SESSION),
              posted("/me/factor/confirm", "csrf=\1c&code=\1T", SESSION)]
    has_factor = [asked("GET", "/me/factor", SESSION), *factor]
    local = {"way": LOOPBACK, "host": "localhost:8080"}
    home = "cookie: cocos-trip=\1w"
    me = asked("GET", "/me", "cookie: __Host-cocos-session=\1k")
    removed = posted("/me/identities/1", "csrf=\1c", SESSION)
    return {
        # out
        "out": run(asked("GET", "/sign-in", BROWSER), *[out(provider) for provider in ISSUERS]),
        "out-again": run(out(), out("clinic", TRIP), out("clinic", TRIP)),
        "out-unknown": run(out("nobody"), back("nobody"), link("nobody")),
        "out-asked-by-others": run(out("clinic", "sec-fetch-site: cross-site"), out("clinic", SITE),
                                   out("clinic", "sec-fetch-site: none")),
        "out-often": run(*[out()] * 22),
        "out-document": run(said(DOCUMENT, right), out()),
        "out-long": run(said(DOCUMENT, {**right, "authorization_endpoint": idp + "/" + "a" * 480}), out()),
        "out-document-cut": run(said(DOCUMENT, json.dumps(right).encode()[:-1]), out()),
        "out-document-other": run(said(DOCUMENT, {**right, "issuer": "https://other.example"}), out()),
        "out-document-large": run(said(DOCUMENT, b" " * 65535), out()),
        "out-stops": run(STOPS, out()),
        "out-local": run(asked("GET", "/sign-in", **local), out(**local), out(way=LOOPBACK, host="127.0.0.1:8080"),
                         flags=SIGN_IN | LOOPBACK_ORIGIN),
        **{f"out-fails-{name}": run(FAILS + bytes([number - 1]), out(), out()) for name, number in WRONG.items()},
        **{f"out-statement-fails-{number}": run(out(fails=number), out()) for number in range(1, 8, 2)},
        "out-leaves": run(out(leaves=True), out()),
        # back
        "back": run(*again),
        "back-twice": run(*again, back()),
        "back-never-out": run(back(query="code=c&state=" + "0" * 64), back(query="code=c"), back(query="code=c&state=" + "0" * 65)),
        "back-other-browser": run(out(), token(), back(trip=None), back(trip="cookie: __Host-cocos-trip=" + "0" * 64)),
        "back-other-provider": run(out(), token(), back("open")),
        "back-late": run(out(), token(), back(later=10)),
        "back-error": run(out(), back(query="error=access_denied&state=\1y&error_description=no")),
        "back-no-code": run(out(), back(query="state=\1y")),
        "back-code-most": run(out(), token(), back(query="code=" + "c" * 2048 + "&state=\1y")),
        "back-code-more": run(out(), token(), back(query="code=" + "c" * 2049 + "&state=\1y")),
        "back-code-odd": run(out(), token(), back(query="code=%26%3D%25%0A%22+x&state=\1y")),
        "back-issuer": run(out(), token(), back(query="code=c&state=\1y&iss=https://idp.example")),
        "back-issuer-other": run(out(), token(), back(query="code=c&state=\1y&iss=https://other.example")),
        "back-issuer-missing": run(said(DOCUMENT, {**right, "authorization_response_iss_parameter_supported": True}), out(),
                                   token(), back()),
        "back-stops": run(out(), token(), STOPS, back()),
        "back-leaves": run(out(), token(), back(leaves=True), back()),
        **{f"back-{algorithm}": run(out(), token(algorithm), back()) for algorithm in ALGORITHMS},
        **{f"back-fails-{name}": run(out(), token(), FAILS + bytes([number - 1]), back()) for name, number in WRONG.items()},
        **{f"back-statement-fails-{number}": run(out(), token(), back(fails=number)) for number in range(1, 9)},
        "keys-fail": run(out(), said(KEYS, {"keys": []}), token(), back()),
        "keys-cut": run(out(), said(KEYS, b'{"keys":[{"kid":"k"'), token(), back()),
        "kid-unknown": run(out(), token(header={"alg": "EdDSA", "kid": "new"}), back(), *[*again[:1], token(header={
            "alg": "EdDSA", "kid": "newer"}), back()]),
        "kid-other": run(out(), token(header={"alg": "EdDSA", "kid": "RS256"}), back()),
        "algorithm-none": run(out(), token(header={"alg": "none", "kid": "EdDSA"}), back()),
        "keys-stale": run(*linked, out(later=16), out(later=16), out(later=16), out(later=16), *again),
        "answer-cut": run(out(), said(ANSWER, b'{"token_type":"Bearer"'), back()),
        "answer-type": run(out(), said(ANSWER, {"token_type": "mac", "id_token": "x"}), back()),
        "answer-unsigned": run(out(), said(ANSWER, {"token_type": "Bearer", "id_token": "e30.e30.AAAA"}), back()),
        "post": run(said(DOCUMENT, right), out(), token(), back()),
        "no-secret": run(out("open"), token(iss=ISSUERS["open"]), back("open")),
        # claims
        "nonce-other": run(out(), token(nonce="0" * 64), back()),
        "audience-other": run(out(), token(aud="other"), back()),
        "audiences": run(out(), token(aud=["cocos", "x"], azp="cocos"), back()),
        "issuer-other": run(out(), token(iss="https://open.example"), back()),
        "expired": run(out(), token(exp=1), back()),
        "future": run(out(), token(iat=1 << 50), back()),
        "no-subject": run(out(), token(sub=None), back()),
        "subject-most": run(out(), token(sub="s" * 255), back()),
        "subject-more": run(out(), token(sub="s" * 256), back()),
        "subject-odd": run(out(), token(sub='<a "&b>'), back(), link()),
        "claims-no-json": run(out(), token(raw=b"claims"), back()),
        "claims-array": run(out(), token(raw=b"[]"), back()),
        # in
        "linked": run(*linked, me, *again, me),
        "linked-alone": run(*again, link(name="anna"), link(name="anna")),
        "link-password": run(*again, link(password="no password at all"), link()),
        "link-nobody": run(*again, link(name="nobody")),
        "link-name-long": run(*again, link(name="n" * 64)),
        "link-proof": run(*again, link(proof="0" * 64), link(proof="")),
        "link-other-browser": run(*again, link(headers=())),
        "link-other-provider": run(*again, link("open")),
        "link-late": run(*again, link(later=10)),
        "link-form": run(*again, posted("/sign-in/with/clinic/link", "proof=\1o&name=anna", TRIP)),
        "link-site": run(*again, asked("POST", "/sign-in/with/clinic/link", FORM, "sec-fetch-site: cross-site", TRIP)),
        "link-often": run(*again, *[link(password="no password at all")] * 14, link()),
        "link-twice": run(*linked, out(), token(sub="43"), back(), link(), asked("GET", "/me", SESSION)),
        "link-many": run(*[step for number in range(3) for step in (out(), token(sub=str(number)), back(), link())], me),
        "link-factor": run(*has_factor, *again, link(), link(factor="\1T", later=2), me, *again),
        **{f"link-statement-fails-{number}": run(*again, link(fails=number), link()) for number in range(1, 14, 2)},
        "link-leaves": run(*again, link(leaves=True), link()),
        "new": run(out(), token(**new), back(), me, out(), token(**new), back()),
        "new-email": run(out(), token(**new, email="b@x.example", email_verified=True), back()),
        "new-taken": run(out(), token(groups="staff", preferred_username="anna"), back()),
        "new-no-name": run(out(), token(groups="staff", preferred_username="a b"), back(), link()),
        "new-no-place": run(out(), token(groups=["ghosts", "staff"], preferred_username="berta"), back()),
        "new-weak": run(out("lab"), token(**lab, **new), back("lab")),
        "new-strong": run(out("lab"), token(**lab, **new, acr="phr", amr=["pwd", "mfa"]), back("lab"), me),
        "known-weak": run(out("lab"), token(**lab), back("lab"), link("lab"), out("lab"), token(**lab), back("lab")),
        "known-factor": run(*linked, *has_factor, *again, posted("/sign-in/code", "half=\1f&factor=\1T", later=1)),
        **{f"new-statement-fails-{number}": run(out(), token(**new), back(fails=number)) for number in range(8, 40, 4)},
        **{f"known-statement-fails-{number}": run(*linked, out(), token(), back(fails=number)) for number in range(8, 32, 4)},
        "local": run(out(**local), token(**new), back(trip=home, **local), asked("GET", "/in/\1l", way=LOOPBACK, host="\1n"),
                     flags=SIGN_IN | LOOPBACK_ORIGIN),
        "local-link": run(out(**local), token(), back(trip=home, **local), link(headers=(home,), **local),
                          flags=SIGN_IN | LOOPBACK_ORIGIN),
        # and no more
        "me": run(*linked, asked("GET", "/me", SESSION), removed, removed, asked("GET", "/me", SESSION)),
        "me-other": run(asked("GET", "/me", SESSION), removed, posted("/me/identities/x", "csrf=\1c", SESSION),
                        posted("/me/identities/" + "9" * 19, "csrf=\1c", SESSION), posted("/me/identities/1", "csrf=0", SESSION)),
        "me-no-provider": run(*linked, asked("GET", "/me", way=2), posted("/me/identities/1", "csrf=\1c", way=1)),
    }


TARGETS = [web_oidc]
