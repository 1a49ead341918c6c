# SPDX-License-Identifier: Apache-2.0
"""What providers of identities say: key sets, discovery, answers for a code, ID tokens."""
import base64
import json


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _set(*keys):
    return json.dumps({"keys": keys}).encode()


RSA = {"kid": "r", "kty": "RSA", "e": "AQAB", "n": _b64(b"\xc0" + b"\x5a" * 254 + b"\x01")}
# RFC 7517, A.1, and RFC 8037, A.2.
EC = {"kid": "e", "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
      "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}
OKP = {"kid": "o", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def jwks():
    return {
        "all": _set({**RSA, "use": "sig", "alg": "RS256"}, {**EC, "key_ops": ["verify"]}, OKP),
        "pss": _set({**RSA, "alg": "PS256"}),
        "none": b'{"keys":[]}',
        "no-keys": b"{}",
        "no-json": b"keys",
        "no-object": _set(1),
        "kid-twice": _set(EC, EC),
        "no-kid": _set({k: v for k, v in EC.items() if k != "kid"}),
        "long-kid": _set({**EC, "kid": "k" * 256}),
        "private": _set({**OKP, "d": "AA"}),
        "secret": _set({"kid": "s", "kty": "oct", "k": "AA"}),
        "other-use": _set({**RSA, "use": "enc"}, {**RSA, "alg": "RSA-OAEP"}, {**RSA, "key_ops": ["sign", 1]}),
        "bad-use": _set({**RSA, "use": 1}),
        "bad-ops": _set({**RSA, "key_ops": "verify"}),
        "no-kty": _set({"kid": "k"}),
        "exponent": _set({**RSA, "e": "Aw"}),
        "short": _set({**RSA, "n": "wAAB"}),
        "even": _set({**RSA, "n": _b64(b"\xc0" + b"\x5a" * 255)}),
        "bad-base64": _set({**RSA, "n": "w+=="}),
        "rsa-no-n": _set({"kid": "r", "kty": "RSA", "e": "AQAB"}),
        "rsa-no-e": _set({k: v for k, v in RSA.items() if k != "e"}),
        "off-curve": _set({**EC, "y": EC["x"]}),
        "short-x": _set({**EC, "x": "AAAA"}),
        "ec-no-y": _set({k: v for k, v in EC.items() if k != "y"}),
        "okp-short": _set({**OKP, "x": "AAAA"}),
        "okp-no-x": _set({k: v for k, v in OKP.items() if k != "x"}),
        "other-curve": _set({**EC, "crv": "P-384"}),
        "many": _set(*[{"kty": "x"}] * 65),
        "long": b" " * ((256 << 10) + 1),
    }


def discovery():
    idp = "https://idp.example"
    good = {"issuer": idp, "authorization_endpoint": idp + "/a?x=1", "token_endpoint": idp + "/t", "jwks_uri": idp + "/k",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": True}

    def with_(**changes):
        return json.dumps({k: v for k, v in {**good, **changes}.items() if v is not None}).encode()

    answer = {"token_type": "Bearer", "id_token": "a.b.c", "access_token": "x"}
    return {
        "good": with_(),
        "least": with_(code_challenge_methods_supported=None, token_endpoint_auth_methods_supported=None,
                       authorization_response_iss_parameter_supported=None),
        "post": with_(token_endpoint_auth_methods_supported=["client_secret_post"]),
        "no-method": with_(token_endpoint_auth_methods_supported=["private_key_jwt"]),
        "other-issuer": with_(issuer=idp + "/"),
        "no-issuer": with_(issuer=None),
        "no-code": with_(response_types_supported=["token", 1]),
        "no-types": with_(response_types_supported=None),
        "bad-types": with_(response_types_supported="code"),
        "plain-challenge": with_(code_challenge_methods_supported=["plain"]),
        "bad-flag": with_(authorization_response_iss_parameter_supported=1),
        "plain": with_(token_endpoint="http://127.0.0.1/t"),
        "elsewhere": with_(token_endpoint="http://evil.example/t"),
        "user": with_(token_endpoint="https://a@b/t"),
        "fragment": with_(jwks_uri=idp + "/#k"),
        "line": with_(jwks_uri=idp + "/\r\n"),
        "number": with_(jwks_uri=1),
        "long-url": with_(jwks_uri=idp + "/" + "k" * 512),
        "long-query": with_(jwks_uri=idp + "/?" + "k" * 512),
        "slash": with_(jwks_uri=idp + "/"),
        "no-json": b"<html>",
        "long": b" " * ((64 << 10) + 1),
        "token": b"t" + json.dumps(answer).encode(),
        "token-type": b"t" + json.dumps({**answer, "token_type": "mac"}).encode(),
        "token-none": b"t{}",
        "token-no-id": b't{"token_type":"Bearer"}',
        "token-long": b"t" + json.dumps({**answer, "id_token": "a" * ((32 << 10) + 1)}).encode(),
        "token-longer": b"t" + b" " * ((128 << 10) + 1),
        "issuer": b"ihttps://idp.example/realm/",
        "issuer-plain": b"ihttp://idp.example",
        "issuer-long": b"ihttps://" + b"a" * 250,
    }


def id_token():
    claims = {"iss": "https://idp.example", "aud": "cocos", "nonce": "n", "iat": 1700000000, "exp": 1700000300,
              "sub": "248289761001"}

    def made(alg="ES256", kid=None, header=None, **changes):
        head = {"alg": alg, "kid": kid or alg, **(header or {})}
        body = {k: v for k, v in {**claims, **changes}.items() if v is not None}
        return json.dumps(head).encode() + b"\0" + json.dumps(body).encode()

    return {
        **{alg.lower(): made(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")},
        "none": made("none"), "hs256": made("HS256"),
        "other-key": made("ES256", "EdDSA"), "no-such-key": made(kid="x"), "long-kid": made(kid="k" * 256),
        "no-kid": b'{"alg":"ES256"}\0{}', "crit": made(header={"crit": ["b64"]}),
        "header": b"x\0{}",
        "mapped": made(groups=["staff", 1], email="a@x.example", email_verified=True),
        "unverified": made(groups="staff", email="a@x.example"),
        "groups-object": made(groups={}),
        "groups-many": made(groups=["g"] * 1025),
        "iss": made(iss="https://other.example"), "no-iss": made(iss=None),
        "aud": made(aud=["cocos", "other"], azp="cocos"), "aud-two": made(aud=["cocos", "other"]),
        "aud-other": made(aud="other"), "aud-number": made(aud=["cocos", 1]), "aud-none": made(aud=None),
        "azp": made(azp="other"), "nonce": made(nonce="m"),
        "expired": made(exp=1), "future": made(iat=1800000000), "old": made(iat=1600000000),
        "nbf": made(nbf=1800000000), "nbf-now": made(nbf=1700000000), "no-exp": made(exp=None), "no-iat": made(iat=None),
        "huge": made(exp=2 ** 64 - 1), "float": made(exp=1.5),
        "no-sub": made(sub=None), "sub": made(sub=""), "sub-space": made(sub="a b"), "sub-long": made(sub="s" * 256),
        "array": b'{"alg":"EdDSA","kid":"EdDSA"}\0[]', "no-json": b'{"alg":"EdDSA","kid":"EdDSA"}\0x',
        "raw": b"eyJhbGciOiJFUzI1NiIsImtpZCI6IkVTMjU2In0.e30.AAAA",
        "raw-two": b"e30.e30", "raw-bad": b"eyJhbGciOiJFUzI1NiIsImtpZCI6IkVTMjU2In0.!.AAAA",
        "long": b"a" * ((32 << 10) + 1),
    }


def provider_table():
    a, n = b"provider a issuer=https://a client=c", b"provider n issuer=https://n client=c name=x\n"
    both = n + a + b" name=y acr=phr amr=hwk\nmap n g=s default viewer\nmap a g=s lab member\n"
    return {
        "all": b"# ours\n\npage https://us.example:9466\n" + a + b" secret=/s ca=/ca scopes=p,q acr=x amr=y\n" + n +
               b"map n g=s default viewer\nmap n u=t other administrator\n",
        "met": both + b'\0{"g":["s"],"acr":"phr","amr":["hwk"]}',
        "not-met": both + b'\0{"g":"t","acr":"phr","amr":["pwd"]}',
        "no-claims": both + b"\0[",
        "empty": b"", "other-word": b"host a\n",
        "page-twice": b"page https://a\npage https://b\n", "page-plain": b"page http://a\n", "page-more": b"page https://a b\n",
        "bad-name": b"provider A\n", "no-issuer": b"provider a client=c\n", "no-client": b"provider a issuer=https://a\n",
        "bad-issuer": b"provider a issuer=http://a client=c\n", "bad-key": a + b" x=y\n", "no-value": a + b" name=\n",
        "key-twice": a + b" client=d\n", "bad-path": a + b" secret=s\n", "bad-scopes": a + b" scopes=,\n",
        "long-scopes": a + b" scopes=" + b"s" * 250 + b"\n", "name-twice": a + b"\n" + a,
        "issuer-twice": a + b"\n" + a.replace(b" a ", b" b "),
        "many": b"".join(b"provider p%d issuer=https://%d client=c\n" % (n, n) for n in range(9)),
        "map-nobody": b"map a g=s d viewer\n", "map-no-name": a + b"\nmap a g=s d viewer\n",
        "map-no-value": n + b"map n g d viewer\n", "map-no-workspace": n + b"map n g=s\n",
        "map-bad-role": n + b"map n g=s d chief\n", "map-more": n + b"map n g=s d viewer x\n",
        "map-twice": n + b"map n g=s d viewer\n" * 2,
        "map-many": n + b"".join(b"map n g=%d d viewer\n" % i for i in range(129)),
        "long": b"#" * 65537,
    }


TARGETS = [discovery, id_token, jwks, provider_table]
