# SPDX-License-Identifier: Apache-2.0
"""A provider of identities that others wrote: Debian's glewlwyd, on this machine, with a database made from the SQL that it
comes with, set up by its own administrators' API."""
import contextlib
import gzip
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import PATIENCE, Folder, until
from oidc_provider import CLIENT
from ports import free_port

SQL = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
SHARED, MODULES = "/usr/share/glewlwyd", "/usr/lib/glewlwyd"
CHIEF, FIRST = "admin", "password"  # as its SQL has them
NAME, PASSWORD = "carla", "river copper lamp"

CONFIG = """port = {port}
bind_address = "127.0.0.1"
external_url = "http://localhost:{port}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "{page}/"
log_mode = "console"
log_level = "INFO"
cookie_domain = "localhost"
cookie_secure = 0
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{database}"; }};
static_files_mime_types = ({types})
"""
TYPES = {"html": "text/html", "js": "application/javascript", "css": "text/css", "json": "application/json"}


class Glewlwyd:
    """`issuer` is that of its plugin `oidc`."""

    # It does not decode what RFC 6749, 2.3.1 has a client encode: a secret that is the same both ways.
    secret = "lamp-47_under.glass"

    def __init__(self):
        self.folder, self.port = Folder(), free_port()
        self.base = f"http://localhost:{self.port}"
        self.issuer, self.process = self.base + "/api/oidc", None

    def __enter__(self):
        self.folder.__enter__()
        try:
            self.start()
            self.chief = Visitor(self)
            assert self.chief.sign_in(CHIEF, FIRST) == 200
            self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        # It sends no file that a link leads to, as Debian's do; and the one to config.json leads to a folder in 12.
        shutil.copytree(SHARED + "/webapp", self.folder("page"), ignore=shutil.ignore_patterns("config.json", "*.map"))
        shutil.copy(SHARED + "/templates/config.json", self.folder("page"))
        with gzip.open(SQL, "rt", encoding="utf-8") as text, contextlib.closing(sqlite3.connect(self.folder("db"))) as db:
            db.executescript(text.read())
            (kept,), = db.execute("SELECT gumi_parameters FROM g_user_module_instance")
            parameters = json.loads(kept)
            parameters["data-format"]["groups"] = {"multiple": True, "read": True, "write": True}
            db.execute("UPDATE g_user_module_instance SET gumi_parameters = ?", (json.dumps(parameters),))
            db.commit()
            # Who reads here would stop its next change: it does not wait for a database that is busy.
            assert db.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        config = self.folder.write("glewlwyd.conf", CONFIG.format(
            port=self.port, page=self.folder("page"), modules=MODULES, database=self.folder("db"),
            types=", ".join(f'{{ extension = ".{end}" mime_type = "{kind}" }}' for end, kind in TYPES.items())))
        with open(self.folder("log"), "wb") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["glewlwyd", "--config-file=" + config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.is_there, "glewlwyd")

    def __exit__(self, *_):
        try:
            if self.process:
                self.stop()
        finally:
            self.folder.__exit__()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def is_there(self):
        if self.process.poll() is not None:
            raise AssertionError("glewlwyd has ended:\n" + self.said())
        with contextlib.suppress(OSError):
            return Visitor(self).ask("GET", "/config").status == 200

    def said(self):
        with open(self.folder("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def line(self, name, secret, more=""):
        return f"provider {name} issuer={self.issuer} client={CLIENT} secret={secret} scopes=groups {more}\n"

    def sign_in(self, location, who=NAME, consents=True):
        """Where the browser of somebody who does, with a program's requests, is sent back to."""
        visitor = Visitor(self)
        assert visitor.sign_in(who) == 200
        if consents:
            visitor.grant()
        return visitor.follow(location + "&g_continue")

    # ---- what its administrator does ----

    def administer(self, method, path, body=None):
        answer = self.chief.ask(method, "/api" + path, body)
        assert answer.status == 200, (method, path, answer.status, answer.body)
        return answer.body

    def set_up(self):
        self.plugin = {
            "module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "enabled": True, "parameters": {
                "iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256", "code-duration": 600,
                "access-token-duration": 600, "refresh-token-duration": 600, "allow-non-oidc": False,
                "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True, "auth-type-refresh-enabled": False,
                "pkce-allowed": True, "pkce-required": True, "pkce-method-plain-allowed": False, "jwks-show": True,
                "subject-type": "public", "email-claim": "mandatory", "name-claim": "no", "scope-claim": "no",
                "claims": [{"name": name, "user-property": own, "type": "string", "mandatory": False, "scope": ["groups"]}
                           for name, own in (("groups", "groups"), ("preferred_username", "username"))],
                "allowed-scope": ["openid", "groups"], **new_key()}}
        self.administer("POST", "/scope/", {"name": "groups", "display_name": "Groups", "password_required": False})
        self.administer("POST", "/mod/plugin/", self.plugin)
        self.user(NAME, ["clerks", "staff"])

    def change(self, **parameters):
        """The plugin's, with dashes for '_'; it is loaded anew."""
        self.plugin["parameters"].update({name.replace("_", "-"): value for name, value in parameters.items()})
        self.administer("PUT", "/mod/plugin/oidc", self.plugin)
        self.administer("PUT", "/mod/plugin/oidc/reset")

    def new_key(self):
        """Signs from now on, and the one before is published no more."""
        self.change(**new_key())

    def client(self, back):
        """Who comes with our secret, and has browsers sent back there."""
        self.known = {"client_id": CLIENT, "name": "The clinic's computations", "confidential": True, "enabled": True,
                      "client_secret": self.secret, "redirect_uri": [back], "authorization_type": ["code"],
                      "token_endpoint_auth_method": ["client_secret_basic"], "scope": []}
        self.administer("POST", "/client/", self.known)

    def client_secret(self, secret):
        self.known["client_secret"] = secret
        self.administer("PUT", "/client/" + CLIENT, self.known)

    def user(self, name, groups):
        self.administer("POST", "/user/", {
            "username": name, "name": name, "email": name + "@clinic.example", "password": PASSWORD, "enabled": True,
            "scope": ["g_profile", "openid", "groups"], "groups": groups})

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(self.folder("db"), timeout=PATIENCE)) as db, db:
            return db.execute(text, values).fetchall()

    def granted(self, name):
        return self.sql("SELECT gs_name FROM g_client_user_scope JOIN g_scope USING (gs_id) WHERE gcus_username = ?"
                        " AND gcus_enabled = 1 AND gs_name = 'groups'", name)

    def key_ids(self):
        return [key["kid"] for key in json.loads(Visitor(self).ask("GET", "/api/oidc/jwks").body)["keys"]]


def new_key():
    private = rsa.generate_private_key(65537, 2048)
    return {"key": private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()).decode(),
            "cert": private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo).decode()}


class Visitor:
    """A program with cookies; what its page would send."""

    def __init__(self, idp):
        self.idp, self.cookie = idp, None

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.idp.port, timeout=PATIENCE)
        headers = {"Host": f"localhost:{self.idp.port}"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            answer.body = answer.read()
        finally:
            connection.close()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        return answer

    def sign_in(self, name=NAME, password=PASSWORD):
        return self.ask("POST", "/api/auth", {"username": name, "password": password}).status

    def grant(self, scope="openid groups"):
        assert self.ask("PUT", f"/api/auth/grant/{CLIENT}", {"scope": scope}).status == 200

    def follow(self, location):
        """Where the browser is sent from an address there."""
        url = urllib.parse.urlsplit(location)
        assert f"{url.scheme}://{url.netloc}" == self.idp.base, location
        answer = self.ask("GET", url.path + "?" + url.query)
        assert answer.status == 302, (answer.status, answer.body)
        return answer.getheader("Location")
