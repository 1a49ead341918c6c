# SPDX-License-Identifier: Apache-2.0
"""A provider of identities (OpenID Connect Core 1.0) on this machine, which can lie in each of its answers. Nothing of
ours is behind it: keys and signatures are python3-cryptography's."""
import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT, SECRET = "cocos", "s3cret: +/&%"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size):
    return b64(value.to_bytes(size, "big"))


class Key:
    """A key pair of one algorithm."""

    def __init__(self, alg, kid):
        self.alg, self.kid = alg, kid
        self.private = {"RS256": lambda: rsa.generate_private_key(65537, 2048),
                        "PS256": lambda: rsa.generate_private_key(65537, 2048),
                        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                        "EdDSA": ed25519.Ed25519PrivateKey.generate}[alg]()

    def jwk(self):
        public = self.private.public_key()
        if self.alg == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            of_kind = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        elif self.alg == "ES256":
            n = public.public_numbers()
            of_kind = {"kty": "EC", "crv": "P-256", "x": number(n.x, 32), "y": number(n.y, 32)}
        else:
            n = public.public_numbers()
            of_kind = {"kty": "RSA", "n": number(n.n, 256), "e": number(n.e, 3)}
        return {**of_kind, "kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(self, data):
        if self.alg == "EdDSA":
            return self.private.sign(data)
        if self.alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        pad = padding.PKCS1v15() if self.alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return self.private.sign(data, pad, hashes.SHA256())

    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo)


class Provider:
    """`claims` of whoever signs in next; `lies`: what is to be wrong, by name."""

    secret = SECRET

    def __init__(self, alg="ES256"):
        self.keys, self.published = [Key(alg, "k1")], None
        self.claims, self.lies, self.codes, self.asked = {"sub": "248289761001"}, {}, {}, []
        self.release, self.left = threading.Event(), False

    def __enter__(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                """Nobody reads it."""

            def do_GET(self):
                self.serve(provider.get)

            def do_POST(self):
                self.serve(provider.post)

            def serve(self, answer):
                if provider.left:  # on a connection from before
                    self.close_connection = True
                else:
                    answer(self)

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """A client that left at once is what some of these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        """Nothing listens there any more. Once is enough."""
        self.left = True
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def line(self, name, secret, more=""):
        return f"provider {name} issuer={self.issuer} client={CLIENT} secret={secret} scopes=profile,groups {more}\n"

    # ---- what it says of itself ----

    def discovery(self):
        return {"issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize",
                "token_endpoint": self.issuer + "/token", "jwks_uri": self.issuer + "/keys",
                "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True, **self.lies.get("discovery", {})}

    def key_set(self):
        if "keys" in self.lies:
            return self.lies["keys"]
        return json.dumps({"keys": [key.jwk() for key in self.published or self.keys]}).encode()

    def get(self, handler):
        self.asked.append(handler.path)
        if handler.path == "/.well-known/openid-configuration":
            self.answer(handler, json.dumps(self.discovery()).encode())
        elif handler.path == "/keys":
            self.answer(handler, self.key_set())
        else:
            self.answer(handler, b"{}", 404)

    @staticmethod
    def answer(handler, body, status=200, headers=()):
        handler.send_response(status)
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]:
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True

    # ---- who signs in, as his browser would have it ----

    def sign_in(self, location, **more):
        """Where the browser is sent back to."""
        url = urllib.parse.urlsplit(location)
        assert f"{url.scheme}://{url.netloc}{url.path}" == self.issuer + "/authorize", location
        asked = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert asked["scope"].split()[0] == "openid" and asked["code_challenge_method"] == "S256", asked
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer, "session_state": "x.y", **more}
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode({k: v for k, v in back.items() if v is not None})

    # ---- a code for a token ----

    def post(self, handler):
        self.asked.append(handler.path)
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        if "slow" in self.lies:
            self.release.wait()
        if "redirect" in self.lies:
            self.answer(handler, b"", 307, [("Location", self.lies["redirect"])])
            return
        wanted = base64.b64encode(f"{urllib.parse.quote(CLIENT, '')}:{urllib.parse.quote(SECRET, '')}".encode()).decode()
        asked = self.codes.pop(form["code"], None)
        if (not asked or handler.headers["Authorization"] != "Basic " + wanted or "client_secret" in form
                or form["redirect_uri"] != asked["redirect_uri"] or form["grant_type"] != "authorization_code"
                or b64(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]):
            self.answer(handler, b'{"error":"invalid_grant"}', 400)
            return
        self.answer(handler, self.lies.get("answer") or json.dumps(
            {"access_token": "a", "token_type": "Bearer", "id_token": self.token(asked)}).encode())

    def token(self, asked):
        now, key, head = int(time.time()), self.keys[-1], self.lies.get("head", {})
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT", **head}
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims,
                  **self.lies.get("claims", {})}
        text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        if header["alg"] == "none":
            return text + "."
        if header["alg"] == "HS256":  # with the public key as the secret, which a verifier that trusts alg would take
            mac = hmac.HMAC(key.public_pem(), hashes.SHA256())
            mac.update(text.encode())
            return text + "." + b64(mac.finalize())
        signature = key.sign(text.encode())
        if "signature" in self.lies:
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        return text + "." + b64(signature)
