# SPDX-License-Identifier: Apache-2.0
"""Documents of computations, as JSON and CSV, and what is taken out of them."""
import csv
import io
import json as js

HASH, OTHER = "ab" * 32, "cd" * 32
ID = "a4b34c5f-f400-4288-9753-f44cb708fc1b"


def item(**members):
    return {
        "computation": {"name": "c", "description": "d", "start_time": "0001-01-01T00:00:00Z",
                        "end_time": "2025-11-12T14:00:01Z", "created_at": "2025-11-12T14:00:01.654562Z",
                        "agent_config": {"log_level": "info", "cert_file": "", "server_key": "", "server_ca_file": None,
                                         "client_ca_file": "", "attested_tls": True, "port": "7002"}},
        "roles": [{"role_name": "owner", "actions": ["view", "edit", "result_consumer"], "members": ["x", "x", "nobody"]},
                  {"role_name": "own", "actions": ["view"], "members": None},
                  {"role_name": "getter", "actions": ["view", "result_consumer"], "members": ["y"]}],
        "assets": [asset(ID, "algorithm", HASH), asset("5e99", "dataset", OTHER)],
        "asset_links": [{"asset_id": ID, "computation_id": ""}, {"asset_id": "5e99"}],
        **members,
    }


def asset(name, kind, checksum, **members):
    return {"file_name": "f", "id": name, "UserID": "x", "description": "d", "asset_type": kind, "asset": "",
            "created_at": "2025-11-12T14:04:34.735495Z", "Checksum": checksum, "mime_type": "text/plain",
            "Computations": None, "UserKey": "", **members}


def flat(**members):
    return {"id": "i", "name": "c", "description": "", "owner": "x", "start_time": "0001-01-01T00:00:00Z",
            "datasets": [{"provider": "x", "hash": HASH}, {"provider": "y", "hash": OTHER, "filename": "b"}],
            "algorithm": {"provider": "x", "hash": OTHER, "user_key": "AAAA"}, "result_consumers": ["x", "y"],
            "agent_config": {"log_level": "info", "attested_tls": False}, "backend_id": "9a8d", **members}


def numbers(digits):
    return "[" + ",".join(str(x) for x in bytes.fromhex(digits)) + "]"


def manifest(name="c", dataset="f"):
    return ('{"id":"i","name":"' + name + '","description":"","datasets":[{"hash":' + numbers(OTHER) +
            ',"user_key":"AAAA","filename":"' + dataset + '"}],"algorithm":{"hash":' + numbers(HASH) +
            ',"user_key":"AAAA"},"result_consumers":[]}')


def with_manifest(text, core=None, **members):
    return item(computation={"id": "i", "name": "c", **(core or {})}, manifest=text, asset_links=None, **members)


def table(header, *rows):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return b"C" + out.getvalue().encode()


def document():
    cell = js.dumps
    good = {"newer": [item()], "older": flat(), "two": [item(), flat()],
            "manifest": [with_manifest(manifest())], "manifest-name": [with_manifest(manifest("x"))],
            "manifest-asset": [with_manifest(manifest(dataset="g"))],
            "manifest-key": [with_manifest(manifest(), assets=[asset(ID, "algorithm", HASH, UserKey="BBBB")])],
            "manifest-same-key": [with_manifest(manifest(), assets=[asset(ID, "algorithm", HASH, UserKey="AAAA")])],
            "manifest-twice": [with_manifest(manifest(), assets=[asset("a", "algorithm", HASH),
                                                                  asset("b", "algorithm", HASH)])],
            "manifest-blank": [with_manifest(" " + manifest())], "manifest-broken": [with_manifest("{")],
            "nobody": flat(algorithm={"provider": "nobody", "hash": HASH}),
            "nobody-gets": flat(result_consumers=["nobody"]), "nobodys": flat(algorithm={"hash": HASH}),
            "no-algorithm": flat(algorithm=None),
            "two-algorithms": [item(assets=[asset("a", "algorithm", HASH), asset("b", "algorithm", OTHER)],
                                    asset_links=None)],
            "unlinked": [item(asset_links=[{"asset_id": ID}])], "used": [item(
                assets=[asset("a", "algorithm", HASH, Computations=["x"])], asset_links=None)]}
    bad = {"number": 1, "empty": [], "not-object": [1], "many": [1] * 257, "unknown": [item(extra=1)],
           "core": [item(computation={"name": "c", "x": 1})], "core-list": [item(computation=[])],
           "nameless": [item(computation={})], "flat-nameless": {"id": "x"},
           "text-number": [item(computation={"name": 1})], "long": flat(id="i" * 256),
           "roles-object": [item(roles={})], "roles-many": [item(roles=[{"role_name": "r"}] * 25)],
           "role-nameless": [item(roles=[{"actions": None}])],
           "role-twice": [item(roles=[{"role_name": "r"}, {"role_name": "r"}])],
           "role-action": [item(roles=[{"role_name": "r", "actions": ["fly"]}])],
           "role-action-number": [item(roles=[{"role_name": "r", "actions": [1]}])],
           "role-blind": [item(roles=[{"role_name": "r", "actions": ["run"]}])],
           "role-member": [item(roles=[{"role_name": "r", "members": [1]}])],
           "role-member-empty": [item(roles=[{"role_name": "r", "members": [""]}])],
           "members-many": flat(result_consumers=[str(n) for n in range(256)]),
           "consumer-number": flat(result_consumers=[1]), "content": [item(assets=[asset("a", "dataset", HASH, asset="x")])],
           "asset-type": [item(assets=[asset("a", "model", HASH)])], "asset-hash": [item(assets=[asset("a", "dataset", "xy")])],
           "asset-hashless": [item(assets=[asset("a", "dataset", "")])],
           "asset-number": [item(assets=[1])], "asset-twice": [item(assets=[asset("a", "dataset", HASH)] * 2)],
           "link-other": [item(asset_links=[{"asset_id": ID, "computation_id": "z"}])],
           "link-none": [item(asset_links=[{"asset_id": "z"}])], "link-number": [item(asset_links=[1])],
           "time": flat(start_time="2025-11-12T14:00:01+02:00"), "time-day": flat(start_time="2025-02-30T14:00:01Z"),
           "time-part": flat(start_time="2025-11-12T14:00:01.Z"),
           "key": flat(agent_config={"server_key": "x"}), "key-file": flat(agent_config={"key_file": "x"}),
           "key-elsewhere": flat(agent_config={"cert_file": "BEGIN PRIVATE KEY"}),
           "config": flat(agent_config=[]), "config-unknown": flat(agent_config={"x": 1}),
           "config-number": flat(agent_config={"attested_tls": 1}), "dataset": flat(datasets=[{"x": 1}]),
           "algorithm": flat(algorithm=[])}
    seeds = {name: b"J" + js.dumps(value).encode() for name, value in {**good, **bad}.items()}
    seeds["cut"] = b'J[{"computation":'
    seeds.update({"csv-" + name: value for name, value in {
        "flat": table(["name", "owner", "algorithm", "datasets"],
                      ["'=c", "x", cell({"hash": HASH, "provider": "x"}), ""], ["''+d", "x", cell({"hash": OTHER}), "[]"]),
        "led": table(["name", "description"], ["=1+1", "' @a"], ["'", "'b"], [" +", "\uff1d"]),
        "mark": b"C\xef\xbb\xbfname\nx\ny", "no-utf8": b"C\xff", "zero": b"Cname\n\0", "open": b'Cname\n"x',
        "amid": b'Cname\nx"y\n', "return": b"Cname\nx\ry\n", "more": b"Cname\nx,y\n", "fewer": b"Cname,id\nx\n",
        "column": b"Ccolour\nx\n", "column-twice": b"Cname,name\nx,x\n", "no-json": b"Cname,roles\nx,}\n",
        "two-values": b'Cname,roles\nx,"[],[]"\n', "rows": b"Cname\n" + b"x\n" * 257, "empty": b"C",
        "quotes": b'Cname,description\r\n"a""b","c\r\nd"\r\n'}.items()})
    seeds.update({"strip-" + name: b"S" + value for name, value in {
        "all": js.dumps([item(assets=[asset("a", "dataset", HASH, asset="x", size=1.5, big=True, small=False)]),
                         flat(agent_config={"server_key": "-----BEGIN PRIVATE KEY-----", "key_file": ["x"]})]).encode(),
        "elsewhere": b'{"cert_file":"x PRIVATE KEY"}', "name": b'{"PRIVATE KEY":1}', "in-list": b'["PRIVATE KEY"]',
        "cut": b"["}.items()})
    return seeds


def manifest_names():
    """Names where keys and digests belong, elsewhere, unknown, of the wrong type, escaped, many."""
    def named(algorithm, *datasets, **more):
        return js.dumps({"algorithm": {"hash": algorithm, "user_key": "user:anna"},
                           "datasets": [{"hash": d, "user_key": "user:bert"} for d in datasets], **more}).encode()
    many = [{"user_key": f"user:u{n}"} for n in range(771)]
    return {
        "both": named("asset:train", "asset:scans"),
        "again": named("asset:both", "asset:both", "asset:both"),
        "other-type": named("asset:scans", "asset:train"),
        "none": b"{}",
        "no-asset": named("asset:x"),
        "no-user": b'{"user_key": "user:x"}',
        "empty": b'{"hash": "asset:", "user_key": "user:"}',
        "elsewhere": b'{"name": "user:anna", "hash": 1, "user_key": ["user:anna"]}',
        "escaped": b'{"user_key": "user:\\u0061nna"}',
        "slash": b'{"user_key": "user:a\\/b"}',
        "broken": b'{"user_key": "user:anna"',
        "deep": b"[" * 40 + b'"user:anna"' + b"]" * 40,
        "spaces": b' { "user_key" : "user:anna" , "hash"\n:\t"asset:s" } ',
        "many": js.dumps({"result_consumers": many[:770]}).encode(),
        "too-many": js.dumps({"result_consumers": many}).encode(),
    }


TARGETS = [document, manifest_names]
