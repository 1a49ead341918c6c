#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Computations that are created at the page and by its API: by whom, with which manifest, how often, and what is refused."""
import base64
import datetime
import hashlib
import json
import re
import uuid
from html import unescape
from urllib.parse import urlencode

import tap
from computations_service import agent_of, connected, run
from harness import Folder, authority, cli, read, spki, until
from people import Caller
from user_keys import Holder
from web_act import Room, stop

DIGEST = "ab" * 32
TAKEN = "another computation of its workspace is called"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Ward(Room):
    """Two parties with keys, an asset, and a second workspace of others."""

    def __enter__(self):
        super().__enter__()
        self.keys = {}
        for name in ("anna", "bert"):
            self.person(name)
            self.keys[name] = Holder(self.service, name, caller=Caller(self.service.channel, self.tokens[name]))
            self.keys[name].register()
        self.person("bare")
        self.root("RegisterAsset", workspace="default", name="train", type="algorithm", digest=b"t" * 32)
        self.root("RegisterAsset", workspace="default", name="scans", type="dataset", digest=b"s" * 32)
        self.root("AddWorkspace", name="lab")
        self.root("AddUser", name="outsider", workspace="lab")
        self.root("SetPassword", user="outsider", password="lamp river copper")
        self.sessions["outsider"] = self.browser().sign_in("outsider")
        self.tokens["outsider"] = self.root("AddToken", user="outsider", name="api").token
        return self

    def count(self):
        return len(self.root("List").computations)

    def post(self, who, manifest, workspace="", key=None, headers=()):
        path = "/api/computations" + (f"?workspace={workspace}" if workspace else "")
        own = [("Idempotency-Key", key)] if key is not None else []
        return self.call("POST", path, self.tokens[who], manifest, [*own, *headers])

    def manifest(self, computation):
        return json.loads(self.call("GET", f"/api/computations/{computation}/manifest", self.tokens["chief"]).body)


def written(**more):
    """As a person writes one, by names."""
    return {"name": "COVID-19", "algorithm": {"hash": "asset:train", "user_key": "user:anna", "algo_type": "python"},
            "datasets": [{"hash": "asset:scans", "user_key": "user:bert", "filename": "h1.zip", "decompress": True}],
            "result_consumers": [{"user_key": "user:anna"}], "agent_config": {"attested_tls": True}, **more}


def fields(**more):
    """As the form sends it."""
    own = str(uuid.uuid4())
    sent = {"id": own, "workspace": "default", "name": "COVID-19 " + own[:8], "description": "of three", "type": "python",
            "algorithm": "train", "provider": "anna", "arguments": "--epochs 3", "consumers": "anna, bert",
            "security": "attested", "roles": "true"}
    for row in range(1, 6):
        sent |= {f"d{row}_name": "", f"d{row}_file": "", f"d{row}_user": ""}
    return sent | {"d1_name": "h1.zip", "d1_file": "scans", "d1_user": "bert", "d1_unpack": "true",
                   "d3_name": "h2.csv", "d3_file": DIGEST, "d3_user": "anna"} | more


def a_call_creates_what_its_manifest_says():
    with Ward() as ward:
        made = ward.post("anna", written())
        assert made.status == 201, made.body
        told = made.json()
        assert made.fields["location"] == "/api/computations/" + told["id"] and told["state"] == "Created"
        assert (told["workspace"], told["name"]) == ("default", "COVID-19")
        manifest = ward.manifest(told["id"])
        assert manifest["algorithm"]["hash"] == list(b"t" * 32) and manifest["datasets"][0]["hash"] == list(b"s" * 32)
        shown = ward.root("Show", id=told["id"])
        assert shown.manifest_digest.hex() == told["manifest_digest"]
        canonical = ward.call("GET", f"/api/computations/{told['id']}/manifest", ward.tokens["anna"]).body
        assert hashlib.sha3_256(canonical).hexdigest() == told["manifest_digest"]
        owners = {o.user for o in ward.root("ListKeyOwners", computation_id=told["id"]).owners}
        assert owners == {"anna", "bert"}
        roles = {r.role_name: list(r.members) for r in ward.root("ListRoles", computation_id=told["id"]).roles if r.members}
        assert roles == {"owner": ["anna"]}, roles
        rows = [json.loads(row) for row in ward.root("Audit").rows]
        mine = [row for row in rows if row["what"].endswith("/Create")]
        assert len(mine) == 1 and mine[0]["object"] == "computation " + told["id"] and "api" in json.dumps(mine[0]), mine


def what_is_sent_again_is_created_once():
    """More of keys is in web_once.py."""
    with Ward() as ward:
        first = ward.post("anna", written(), key="k-1")
        again = ward.post("anna", written(), key="k-1")
        assert first.status == again.status == 201 and first.json() == again.json(), (first.body, again.body)
        assert first.fields["location"] == again.fields["location"] and ward.count() == 1
        assert ward.post("bert", written(name="his"), key="k-1").json()["id"] != first.json()["id"]
        # Without a key each is one more, which its name may be against; or its id.
        twice = ward.post("anna", written())
        assert twice.status == 409 and TAKEN in twice.problem()["detail"], twice.body
        assert ward.post("anna", written(name="a")).json()["id"] != ward.post("anna", written(name="b")).json()["id"]
        assert ward.post("anna", written(id="mine", name="mine")).status == 201
        twice = ward.post("anna", written(id="mine", name="mine"))
        assert twice.status == 409 and "exists already" in twice.problem()["detail"], twice.body
        assert [ward.post("anna", written(id="own", name="own"), key="k-2").status for _ in range(2)] == [201, 201] and ward.count() == 6


def what_can_t_be_created_is_said():
    with Ward() as ward:
        cases = [
            (b"", "missing"), (b"[]", "array"), (b"{", ""), (b'{"x":1}', "x"), (b"[" * 40 + b"]" * 40, ""),
            (b'{"name":"a","name":"b"}', "twice"), (b'{"name":1}', "name"), (b"\xff", ""), (b"{}", ""),
            (written(algorithm={"hash": "asset:none", "user_key": "user:anna"}), "none"),
            (written(algorithm={"hash": "asset:scans", "user_key": "user:anna"}), "type dataset"),
            (written(algorithm={"hash": DIGEST[2:], "user_key": "user:anna"}), "hash"),
            (written(algorithm={"hash": DIGEST, "user_key": "user:nobody"}), "nobody"),
            (written(algorithm={"hash": DIGEST, "user_key": "user:bare"}), "bare"),
            (written(algorithm={"hash": DIGEST, "user_key": "user:outsider"}), "outsider"),
            (written(id="a/b"), "id"), (written(id=".."), "id"),
            (written(result_consumers=[{"user_key": "user:anna"}] * 257), "257"),
        ]
        for body, word in cases:
            answer = ward.post("anna", body)
            assert answer.status == 400 and word in answer.problem()["detail"], (body, answer.status, answer.body)
            assert answer.problem()["field"] == "body", answer.body
        # Who is in no workspace with anna is as if he were nobody.
        said = [ward.post("anna", written(algorithm={"hash": DIGEST, "user_key": "user:" + name})).problem()["detail"]
                for name in ("outsider", "nobody")]
        assert said[0].replace("outsider", "nobody") == said[1], said
        assert ward.post("anna", b" " * (256 * 1024 + 1)).status == 413
        assert ward.post("anna", json.dumps(written()).encode() + b" " * 200_000).status == 201
        for token in ("cocos_" + "0" * 64, "x"):
            assert ward.call("POST", "/api/computations", token, written()).status == 401
        assert ward.call("POST", "/api/computations", None, written()).status == 401
        narrow = ward.root("AddToken", user="anna", name="narrow", actions=["view"]).token
        assert ward.call("POST", "/api/computations", narrow, written()).status == 403
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            assert ward.call("POST", "/api/computations", ward.tokens["anna"], written(), kind=kind).status == 415, kind
        for headers in ([("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")]):
            assert ward.post("anna", written(), headers=headers).status == 403
        assert ward.count() == 1


def where_one_may_not_nothing_is_created_and_nothing_told():
    with Ward() as ward:
        hidden = ward.post("anna", written(), workspace="lab")
        none = ward.post("anna", written(), workspace="none")
        assert hidden.status == none.status == 404 or hidden.status == none.status == 400, (hidden.body, none.body)
        assert hidden.body.replace(b"lab", b"none") == none.body
        ward.root("SetMember", workspace="default", user="bare", role="viewer")
        assert ward.post("bare", written(algorithm={"hash": DIGEST, "user_key": "user:anna"},
                                         datasets=[])).status in (400, 403) and ward.count() == 0
        page = ward.sessions["bare"].get("/new").page()
        assert "in no workspace" in page.words() and "<form" not in ward.sessions["bare"].get("/new").body.decode()
        refused = ward.form("bare", "/new", **fields())
        assert refused.status in (400, 403) and ward.count() == 0
        offered = ward.sessions["anna"].get("/new").body.decode()
        assert 'value="default"' in offered and ">lab<" not in offered
        # A form that names another workspace is refused by who decides.
        assert ward.form("anna", "/new", **fields(workspace="lab")).status in (400, 403) and ward.count() == 0
        assert ward.form("anna", "/new", **fields(workspace="")).status == 303 and ward.count() == 1


def the_form_creates_and_gives_roles():
    with Ward() as ward:
        sent = fields()
        assert ward.sessions["anna"].get("/new").page()
        done = ward.form("anna", "/new", **sent)
        assert done.status == 303 and done.fields["location"] == "/c/" + sent["id"], (done.status, done.body)
        manifest = ward.manifest(sent["id"])
        assert manifest["algorithm"]["algo_args"] == ["--epochs", "3"] and manifest["description"] == "of three"
        assert [d["filename"] for d in manifest["datasets"]] == ["h1.zip", "h2.csv"]
        assert [d.get("decompress", False) for d in manifest["datasets"]] == [True, False]
        assert manifest["datasets"][1]["hash"] == [0xab] * 32 and manifest["cocos"] == {"layout": "folders", "logs": "consumers"}
        roles = {r.role_name: sorted(r.members) for r in ward.root("ListRoles", computation_id=sent["id"]).roles if r.members}
        assert roles == {"owner": ["anna"], "algo_provider": ["anna"], "dataset_provider": ["anna", "bert"],
                         "result_consumer": ["anna", "bert"]}, roles
        # Sent twice it is there once.
        again = ward.form("anna", "/new", **sent)
        assert again.status == 303 and again.fields["location"] == "/c/" + sent["id"] and ward.count() == 1
        changed = ward.form("anna", "/new", **{**sent, "name": "other"})
        assert changed.status == 409 and sent["id"] not in changed.body.decode().split('name="id"')[1][:60] and ward.count() == 1
        alone = fields(roles=None)
        del alone["roles"]
        assert ward.form("anna", "/new", **alone).status == 303
        assert [r.role_name for r in ward.root("ListRoles", computation_id=alone["id"]).roles if r.members] == ["owner"]
        # The link to it is where it is looked for.
        assert "/new" in ward.sessions["anna"].get("/").page().links


def exported(ward, computation):
    """The agent's configuration, which a manifest's page leaves out."""
    document = ward.call("GET", f"/api/computations/{computation}/export", ward.tokens["chief"]).json()
    return (document[0] if isinstance(document, list) else document)["computation"]["agent_config"]


def the_agent_s_log_is_as_the_form_says():
    """The guides' four levels; none is the agent's own. A clone has what it is a clone of."""
    with Ward() as ward:
        anna = ward.sessions["anna"]
        for level in ("", "info", "debug", "warn", "error"):
            sent = fields(level=level)
            assert ward.form("anna", "/new", **sent).status == 303, level
            config = exported(ward, sent["id"])
            assert config["attested_tls"] is True and config["log_level"] == level, config
            chosen = anna.get("/new?from=" + sent["id"]).body.decode().split('name="level"')[1].split("</select>")[0]
            assert re.findall(r'value="(\w*)" selected', chosen) == [level], chosen
            assert re.findall(r'value="(\w*)"', chosen) == ["", "info", "debug", "warn", "error"], chosen
        # One whose listener is without TLS has it as well.
        sent = fields(security="none", level="debug")
        assert ward.form("anna", "/new", **sent).status == 303
        assert exported(ward, sent["id"])["log_level"] == "debug" and not exported(ward, sent["id"])["attested_tls"]


def ways(folder):
    """What goes with each mode, and what the manifest says of it then."""
    cert, key, ca = (read(folder(name)).decode() for name in ("server.pem", "server-key.pem", "ca.pem"))
    pair = {"cert": cert, "key": key}
    return [("none", {}, "No TLS"), ("tls", pair, "TLS"), ("mtls", {**pair, "client_ca": ca}, "Mutual TLS (mTLS)"),
            ("attested", {}, "Attested TLS (aTLS)"), ("attested", pair, "Attested TLS (aTLS)"),
            ("mutual", {"client_ca": ca}, "Mutual attested TLS (maTLS)"),
            ("mutual", {**pair, "client_ca": ca}, "Mutual attested TLS (maTLS)")]


def area(html, name):
    """What stands in a field of several lines."""
    return unescape(html.split(f'<textarea id="f-{name}"')[1].split(">", 1)[1].split("</textarea>")[0])


def each_mode_takes_its_files_and_a_clone_keeps_them():
    """The guides' five. The private key goes to the agent, and is on no page, in no manifest and no export."""
    members = {"cert": "cert_file", "key": "key_file", "client_ca": "client_ca_file"}
    with Ward() as ward, Folder() as folder, agent_of(ward.service, "cvm-1") as agent:
        until(connected(ward.service, "cvm-1"), "the connection")
        anna, told = ward.sessions["anna"], []
        modes = ways(authority(folder))
        secret = modes[1][1]["key"].splitlines()[1]
        fresh = anna.get("/new").body.decode().split('name="security"')[1].split("</select>")[0]
        assert re.findall(r'value="(\w*)" selected', fresh) == ["attested"], fresh
        for mode, files, label in modes:
            crlf = {name: text.replace("\n", "\r\n") for name, text in files.items()}  # as browsers send lines
            sent = fields(security=mode, **crlf)
            done = ward.form("anna", "/new", **sent)
            assert done.status == 303, (mode, done.body)
            run(ward.service, sent["id"], "cvm-1")
            kept = agent.manifest().agent_config
            stop(ward, agent, sent["id"])
            assert kept.attested_tls == (mode in ("attested", "mutual")), mode
            for name, member in members.items():
                assert getattr(kept, member) == files.get(name, ""), (mode, name)
            assert ward.call("GET", "/api/computations/" + sent["id"], ward.tokens["anna"]).json()["security"] == label
            html = anna.get("/new?from=" + sent["id"]).body.decode()
            chosen = html.split('name="security"')[1].split("</select>")[0]
            assert re.findall(r'value="(\w*)" selected', chosen) == [mode], chosen
            assert re.findall(r'value="(\w*)"', chosen) == ["none", "tls", "mtls", "attested", "mutual"], chosen
            for name in ("cert", "client_ca", "server_ca"):
                assert area(html, name) == files.get(name, ""), (mode, name)
            assert ("To be given again" in html) == ("key" in files) and ("the agent’s private key." in html) == ("key" in files)
            told += [html, *(anna.get(path).body.decode() for path in (f"/c/{sent['id']}", f"/c/{sent['id']}/manifest",
                                                                       f"/c/{sent['id']}/export.json"))]
            # The clone is made when the key is there again.
            again = fields(security=mode, **{name: text for name, text in files.items() if name != "key"})
            assert ward.form("anna", "/new", **again).status == (400 if "key" in files else 303), mode
        assert not [page for page in told if "BEGIN PRIVATE KEY" in page or secret in page]


def pems(folder):
    """A pair and its authority; another key, the same certificate when it was old, and a pair whose certificate is for no name."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    cert, key, ca, other, nameless, nobody = (read(folder(name)).decode() for name in (
        "server.pem", "server-key.pem", "ca.pem", "client-key.pem", "client.pem", "client-key.pem"))
    private = serialization.load_pem_private_key(key.encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    day = datetime.datetime(2020, 1, 1)
    stale = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
             .serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(days=1))
             .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
             .sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())
    return cert, key, ca, other, stale, (nameless, nobody)


def files_are_checked_before_anything_is_created():
    """Pair, chain, dates, names, kinds and modes; by the API as well."""
    with Ward() as ward, Folder() as folder:
        cert, key, ca, other, stale, (nameless, nobody) = pems(authority(folder))
        cases = [
            ("tls", {}, "needs the agent’s certificate"), ("tls", {"cert": cert}, "needs the agent’s private key"),
            ("tls", {"key": key}, "needs the agent’s certificate"),
            ("mtls", {"cert": cert, "key": key}, "needs the clients’ authority"), ("mutual", {}, "needs the clients’ authority"),
            ("none", {"cert": cert}, "has no use for the agent’s certificate"),
            ("none", {"key": key}, "has no use for the agent’s private key"),
            ("tls", {"cert": cert, "key": key, "client_ca": ca}, "has no use for the clients’ authority"),
            ("attested", {"client_ca": ca}, "has no use for the clients’ authority"),
            ("attested", {"cert": cert}, "cert_file without key_file"), ("attested", {"server_ca": ca}, "without cert_file"),
            ("tls", {"cert": cert, "key": other}, "is not the key of cert_file"),
            ("tls", {"cert": "cert.pem", "key": "key.pem"}, "no PEM text"), ("tls", {"cert": "x\ny", "key": key}, "no PEM text"),
            ("tls", {"cert": key, "key": key}, "where none belongs"), ("tls", {"cert": cert + key, "key": key}, "where none belongs"),
            ("tls", {"cert": cert, "key": cert}, "key_file"), ("tls", {"cert": cert[:-60], "key": key}, "cert_file"),
            ("tls", {"cert": stale, "key": key}, "expired"), ("tls", {"cert": nameless, "key": nobody}, "subjectAltName"),
            ("tls", {"cert": cert + nameless, "key": key}, "cert_file"), ("mtls", {"cert": cert, "key": key, "client_ca": stale}, "client_ca_file"),
            ("tls", {"cert": cert, "key": key, "server_ca": nameless}, "server_ca_file"),
            ("mtls", {"cert": cert, "key": key, "client_ca": cert[:99]}, "client_ca_file"),
        ]
        for mode, files, word in cases:
            refused = ward.form("anna", "/new", **fields(security=mode, **files))
            html = refused.body.decode()
            assert refused.status == 400 and word in refused.page().words(), (mode, sorted(files), word, refused.page().words()[:600])
            assert "BEGIN PRIVATE KEY" not in html, (mode, sorted(files))
            for name in ("cert", "client_ca", "server_ca"):
                typed = files.get(name, "")
                assert area(html, name) == ("" if "PRIVATE KEY" in typed else typed), (mode, name)
            assert ("is not shown again" in html) == bool(files.get("key")), (mode, sorted(files))
        config = {"cert_file": cert, "key_file": other}
        answer = ward.post("anna", written(agent_config=config))
        assert answer.status == 400 and "not the key of cert_file" in answer.problem()["detail"], answer.body
        assert b"PRIVATE KEY" not in answer.body and ward.count() == 0
        for field, text in (("cert_file", cert + key), ("client_ca_file", key + ca), ("server_ca_file", ca + key)):
            both = ward.post("anna", written(agent_config={"cert_file": cert, "key_file": key, field: text}))
            assert both.status == 400 and f"{field}: a private key" in both.problem()["detail"] and ward.count() == 0, both.body
        assert ward.post("anna", written(agent_config={**config, "key_file": key})).status == 201 and ward.count() == 1


def a_form_with_everything_in_it_is_taken_and_not_more():
    """All rows, all boxes; then bytes: HTTP_FORM_MAX of them, and one more."""
    with Ward() as ward, Folder() as folder:
        anna, (_, files, _) = ward.sessions["anna"], ways(authority(folder))[-1]
        rows = {f"d{n}_{name}": value for n in range(1, 6) for name, value in
                (("name", f"h{n}.zip"), ("file", f"{n:02x}" * 32), ("user", "bert"), ("unpack", "true"))}
        full = fields(security="mutual", level="debug", **files, **rows)
        done = ward.form("anna", "/new", **full)
        assert len(full) == 35 and done.status == 303, done.body
        assert [d["decompress"] for d in ward.manifest(full["id"])["datasets"]] == [True] * 5
        html = anna.get("/new?from=" + full["id"]).body.decode()
        assert html.count('value="true" checked') == 6 and area(html, "cert") == files["cert"]  # and who gets a role
        sent = fields(csrf=anna.csrf(), cert="")
        room = 128 * 1024 - len(urlencode(sent))
        most, more = (anna.post("/new", **{**sent, "cert": "x" * size}) for size in (room, room + 1))
        assert most.status == 400 and "no use" not in most.page().words() and more.status == 413, (most.status, more.status)
        # Lines are for those fields alone.
        for name in ("name", "description", "arguments", "level", "security"):
            assert ward.form("anna", "/new", **fields(**{name: "a\nb"})).status == 400, name
        for text in ("-----BEGIN \0", "-----BEGIN \x1b[31m\n", "-----BEGIN \r\n\r", "-----BEGIN\t\n", "-----BEGIN \u202e\n"):
            assert ward.form("anna", "/new", **fields(cert=text)).status == 400, text
        assert ward.count() == 1


def one_that_is_there_is_the_beginning_of_another():
    with Ward() as ward:
        first = fields(description=HOSTILE[:60])
        assert ward.form("anna", "/new", **first).status == 303
        link = f"/new?from={first['id']}"
        assert link in ward.sessions["anna"].get("/c/" + first["id"]).page().links
        html = ward.sessions["anna"].get(link).body.decode()
        found = dict(re.findall(r'name="([^"]+)" type="text" autocomplete="off" value="([^"]*)"', html))
        assert found["name"] == first["name"] + " (2)" and found["d1_name"] == "h1.zip" and found["d2_name"] == "h2.csv", found
        assert found["d1_file"] == "73" * 32 and found["d1_user"] == "bert" and found["consumers"] == "anna bert"
        assert found["arguments"] == "--epochs 3" and 'name="d1_unpack" type="checkbox" value="true" checked' in html
        assert first["id"] not in html.split('name="id"')[1][:70]
        # Who may not see it is told what everybody is told of none.
        hers, none = (ward.sessions["outsider"].get("/new?from=" + name) for name in (first["id"], "none"))
        assert hers.status == none.status == 404 and hers.body == none.body.replace(b"none", first["id"].encode())
        # Each argument comes through as it is, or none of it.
        arguments = ["--name", "a b", "", 'say "no"', "\\", 'c:\\d e\\', "'x'"]
        made = ward.post("anna", written(name="words", algorithm={**written()["algorithm"], "algo_args": arguments})).json()["id"]
        shown = re.search(r'name="arguments" [^>]*? value="([^"]*)"', ward.sessions["anna"].get("/new?from=" + made).body.decode())[1]
        again = fields(arguments=unescape(shown))
        assert ward.form("anna", "/new", **again).status == 303
        assert ward.manifest(again["id"])["algorithm"]["algo_args"] == arguments, shown
        made = ward.post("anna", written(name="lines", algorithm={**written()["algorithm"], "algo_args": ["a\nb"]})).json()["id"]
        assert ward.sessions["anna"].get("/new?from=" + made).status == 409
        assert "a quote is not closed" in ward.form("anna", "/new", **fields(arguments='a "b')).page().words()
        # Whose key is nobody's here is missed aloud.
        stray = base64.b64encode(spki("stray")[0]).decode()
        made = ward.post("anna", written(name="stray", result_consumers=[{"user_key": "user:anna"}, {"user_key": stray}])).json()["id"]
        page = ward.sessions["anna"].get("/new?from=" + made)
        assert "1 of its result consumers" in page.page().words() and 'value="anna"' in page.body.decode()
        assert "of its result consumers" not in ward.sessions["anna"].get(link).page().words()
        many = written(name="many", datasets=[{"hash": f"{n:02x}" * 32, "user_key": "user:bert", "filename": f"h{n}"} for n in range(6)])
        made = ward.post("anna", many)
        answer = ward.sessions["anna"].get("/new?from=" + made.json()["id"])
        assert answer.status == 409 and "6 datasets" in answer.page().words(), answer.status


def a_name_that_is_taken_is_refused():
    """Each way in. Without a name there is nothing to be the same as."""
    with Ward() as ward:
        first = fields()
        assert ward.form("anna", "/new", **first).status == 303
        again = ward.form("anna", "/new", **fields(name=first["name"], description="kept as it was"))
        html = again.body.decode()
        assert again.status == 409 and TAKEN in again.page().words() and 'value="kept as it was"' in html and ward.count() == 1, html
        # What its clone's form begins with is taken as it stands, and then it is the next number's turn.
        for number in (2, 3):
            html = ward.sessions["anna"].get("/new?from=" + first["id"]).body.decode()
            name = re.search(r'name="name" [^>]*? value="([^"]*)"', html)[1]
            assert name == f"{first['name']} ({number})", name
            assert ward.form("anna", "/new", **fields(name=name)).status == 303
        socket = {"COMPUTATIONS_GRPC_URL": "unix:" + ward.service.socket}
        path = ward.service.folder.write("m.json", json.dumps(written(name=first["name"])))
        cli("computation", "create", path, **socket).refused(1, TAKEN + f" '{first['name']}': choose another one")
        ward.root("AddMember", workspace="lab", user="anna")
        alone = {"name": first["name"], "datasets": [], "algorithm": {"hash": DIGEST, "user_key": "user:anna"}}
        assert ward.post("anna", written(**alone), workspace="lab").status == 201 and ward.count() == 4
        assert ward.post("anna", written(**alone), workspace="lab").status == 409
        assert [ward.post("anna", written(**alone | {"name": ""})).status for _ in range(2)] == [201, 201] and ward.count() == 6
        # One that is removed leaves its name.
        ward.root("Remove", id=first["id"])
        assert ward.post("anna", written(name=first["name"])).status == 201


def what_was_typed_stays_and_is_text():
    """In each field; page() knows each tag of ours, and no other."""
    with Ward() as ward:
        anna, created = ward.sessions["anna"], 0
        for name in fields():
            if name in ("id", "roles", "d1_unpack"):
                continue
            done = ward.form("anna", "/new", **fields(**{name: HOSTILE}))
            if done.status == 303:
                created += 1
                for path in (done.fields["location"], "/", "/new?from=" + done.fields["location"][3:]):
                    assert anna.get(path).page(), (name, path)
            else:
                assert done.status in (400, 403) and 'role="alert"' in done.body.decode(), (name, done.status)
                assert done.page()
        assert created >= 2 and ward.count() == created
        refused = ward.form("anna", "/new", **fields(provider="nobody", description="kept as it was"))
        assert refused.status == 400 and 'value="kept as it was"' in refused.body.decode()
        assert "nobody" in refused.page().words()
        # In the frame of every page of hers.
        menu = [one for one in anna.get("/new").page().links if one in ("/workspaces", "/cvms", "/users", "/audit", "/api", "/me")]
        assert [one for one in refused.page().links if one in menu] == menu and "/workspaces" in menu


def a_form_of_elsewhere_creates_nothing():
    with Ward() as ward:
        anna, other = ward.sessions["anna"], ward.sessions["bert"]
        good, own, sent = anna.csrf(), "http://" + anna.host, fields()
        for origin, headers in ((None, []), ("null", []), ("http://evil.example", []), (own, [("Sec-Fetch-Site", "cross-site")])):
            assert anna.post("/new", origin, headers=headers, csrf=good, **sent).status == 403, (origin, headers)
        for csrf in ("", "0" * 64, good[:-1], other.csrf()):
            assert anna.post("/new", csrf=csrf, **sent).status == 403, csrf
        for name in sent:
            if name not in ("roles", "d1_unpack"):
                less = {key: value for key, value in sent.items() if key != name}
                assert anna.post("/new", csrf=good, **less).status == 400, name
        assert anna.post("/new", csrf=good, more="x", **sent).status == 400
        for bad in ("", "x", "../../etc", "0" * 36):
            assert anna.post("/new", csrf=good, **fields(id=bad)).status == 400, bad
        for bad in ("", "agent", "TLS", "attested,", "x" * 100):
            assert anna.post("/new", csrf=good, **fields(security=bad)).status == 400, bad
        for level in ("all", "INFO", "info\"", "x" * 100):
            assert anna.post("/new", csrf=good, **fields(level=level)).status == 400, level
        assert anna.post("/new", csrf=good, **fields(type="exe")).status == 400
        assert anna.post("/new", csrf=good, **fields(consumers=" ".join("abcdefghi"))).status == 400
        assert anna.post("/new", csrf=good, **fields(arguments=" ".join("x" * 65))).status == 400
        nobody = anna.post("/new", csrf=good, **fields(d1_user=""))
        assert nobody.status == 400 and "dataset 1: name the user" in nobody.page().words(), nobody.body
        assert ward.count() == 0


if __name__ == "__main__":
    tap.run([a_call_creates_what_its_manifest_says, what_is_sent_again_is_created_once,
             what_can_t_be_created_is_said,
             where_one_may_not_nothing_is_created_and_nothing_told, the_form_creates_and_gives_roles,
             the_agent_s_log_is_as_the_form_says, each_mode_takes_its_files_and_a_clone_keeps_them,
             files_are_checked_before_anything_is_created, a_form_with_everything_in_it_is_taken_and_not_more, one_that_is_there_is_the_beginning_of_another,
             a_name_that_is_taken_is_refused, what_was_typed_stays_and_is_text,
             a_form_of_elsewhere_creates_nothing])
