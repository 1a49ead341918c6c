# SPDX-License-Identifier: Apache-2.0
"""Texts: JSON, manifests, settings, the boot configuration."""
import base64
import json as js

from seeds.parts import protobuf
from seeds.tokens import SPKI

ED25519 = base64.b64decode("MCowBQYDK2VwAyEAERERERERERERERERERERERERERERERERERERERERERE=")


def json():
    many = ",".join(f'"key{n}":{n}' for n in range(40))
    return {
        "numbers": b"[0,-1,1.5,1e5,18446744073709551616]",
        "many-keys": f"{{{many}}}".encode(),
        "many-keys-twice": f'{{{many},"key39":0}}'.encode(),
        "key-twice": b'{"a":1,"a":2}',
        "key-zero": b'{"a\\u0000":1}',
        "zero": b'["a\\u0000b"]',
        "no-utf8": b'["\xff"]',
        "key-no-utf8": b'{"\xff":1}',
        "deep": b"[" * 32 + b"]" * 32,
        "too-deep": b"[" * 200 + b"]" * 200,
        "lone-high": b'["\\ud800"]',
        "lone-low": b'["\\udc00"]',
        "high-high": b'["\\ud800\\ud800"]',
        "no-escape": b'["\\uD83G"]',
        "escaped": b'["\\\\ud800\\n\\/"]',
        "form-feed": b"[\f]",
        "vertical-tab": b"\v[]\f",
        "two": b"1 2",
        "scalar": b"true",
        "cut": b'{"a":',
        "comma": b"[1,]",
        "zero-key-zeros": b'{"a":"\\u0000","b":"\\u0000\\u0000"}',
        "comment": b"[] // no",
    }


def manifest_text(**more):
    key = base64.b64encode(ED25519).decode()
    dataset = {"hash": "01" * 32, "user_key": key, "filename": "a.csv"}
    whole = {"id": "1", "name": "n", "datasets": [dataset], "algorithm": {"hash": "02" * 32, "user_key": key},
             "result_consumers": [{"user_key": key}]}
    for where, value in more.items():
        at, *rest = where.split("__")
        if not rest:
            whole[at] = value
        elif isinstance(whole[at], list):
            whole[at][0][rest[0]] = value
        else:
            whole[at][rest[0]] = value
    return js.dumps(whole).encode()


def manifest_json():
    key = base64.b64encode(ED25519).decode()
    one = {"hash": "01" * 32, "user_key": key, "filename": "a"}
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(SPKI).decode()}\n-----END PUBLIC KEY-----\n"
    return {
        "id-missing": manifest_text(id=""),
        "id-number": manifest_text(id=1),
        "id-long": manifest_text(id="x" * 2000),
        "name-zero": manifest_text(name="a\0b"),
        "unknown": manifest_text(more=1),
        "datasets-object": manifest_text(datasets={}),
        "dataset-number": manifest_text(datasets=[1]),
        "datasets-none": manifest_text(datasets=[]),
        "many-datasets": manifest_text(datasets=[one] * 257),
        "same-dataset": manifest_text(datasets=[one, one]),
        "same-name": manifest_text(datasets=[one, {**one, "hash": "03" * 32}]),
        "other-name": manifest_text(datasets=[one, {**one, "filename": "b"}]),
        "no-name": manifest_text(datasets=[{**one, "filename": ""}, {**one, "filename": "",
            "hash": "03" * 32}]),
        "hash-short": manifest_text(datasets__hash="01"),
        "hash-few": manifest_text(datasets__hash=[1, 2]),
        "hash-over": manifest_text(datasets__hash=[256] * 32),
        "hash-text": manifest_text(datasets__hash=["x"] * 32),
        "hash-negative": manifest_text(datasets__hash=[-1] * 32),
        "hash-null": manifest_text(datasets__hash=None),
        "hash-missing": manifest_text(datasets=[{"user_key": key}]),
        "key-missing": manifest_text(datasets=[{"hash": "01" * 32}]),
        "key-pem": manifest_text(algorithm__user_key=pem),
        "key-no-pem": manifest_text(algorithm__user_key="-----BEGIN"),
        "key-number": manifest_text(algorithm__user_key=1),
        "key-no-base64": manifest_text(algorithm__user_key="!"),
        "key-none": manifest_text(algorithm__user_key="AAAA"),
        "key-long": manifest_text(algorithm__user_key=base64.b64encode(bytes(3000)).decode()),
        "file-dots": manifest_text(datasets__filename=".."),
        "file-slash": manifest_text(datasets__filename="a/b"),
        "file-control": manifest_text(datasets__filename="a\n"),
        "file-long": manifest_text(datasets__filename="a" * 300),
        "file-zero": manifest_text(datasets__filename="a\0"),
        "source": manifest_text(datasets__source={"url": "https://x"}),
        "kbs": manifest_text(algorithm__kbs={"enabled": True}),
        "flag-text": manifest_text(datasets__decompress="yes"),
        "type-bin": manifest_text(algorithm__algo_type="bin"),
        "type-wasm": manifest_text(algorithm__algo_type="wasm"),
        "type-unknown": manifest_text(algorithm__algo_type="x"),
        "args": manifest_text(algorithm__algo_args=["a", "\u00e9"]),
        "args-number": manifest_text(algorithm__algo_args=[1]),
        "args-zero": manifest_text(algorithm__algo_args=["a\0"]),
        "many-args": manifest_text(algorithm__algo_args=["a"] * 257),
        "algorithm-missing": js.dumps({"id": "1"}).encode(),
        "consumers-same": manifest_text(result_consumers=[{"user_key": key}] * 2),
        "consumers-other": manifest_text(result_consumers=[{"user_key": key},
            {"user_key": base64.b64encode(SPKI).decode()}]),
        "consumer-none": manifest_text(result_consumers=[{}]),
        "config": manifest_text(agent_config={"port": "1", "attested_tls": True}),
        "array": b"[]",
        "broken": b"{",
        "escapes": manifest_text(name='"\\\b\f\n\r\t\x01<>&\u2028'),
        "extension": manifest_text(cocos={"layout": "stock", "logs": "all"}),
        "extension-whole": manifest_text(cocos={"layout": "folders", "logs": "provider",
            "requirements_hash": "04" * 32, "replace": True}, datasets__cache=True),
        "extension-empty": manifest_text(cocos={}),
        "extension-null": manifest_text(cocos=None),
        "extension-layout": manifest_text(cocos={"layout": "union"}),
        "extension-logs": manifest_text(cocos={"logs": "nobody"}),
        "two-words": manifest_text(agent_config={"cert_file": "a", "certFile": "b"}),
    }


def manifest_wire(**more):
    fields = {"id": "1", "name": "n", "datasets": [protobuf((1, b"\1" * 32), (2, ED25519), (3, "a"))],
              "algorithm": protobuf((1, b"\2" * 32), (2, ED25519)), "consumers": [protobuf((1, ED25519))]}
    fields.update(more)
    numbers = {"id": 1, "name": 2, "description": 3, "datasets": 4, "algorithm": 5, "consumers": 6, "config": 7,
               "extension": 100}
    return protobuf(*((numbers[name], item) for name, value in fields.items()
                      for item in (value if isinstance(value, list) else [value])))


def manifest():
    def dataset(digest=b"\1" * 32, key=ED25519, name="a", *more):
        return protobuf((1, digest), (2, key), (3, name), *more)

    def algorithm(*more, digest=b"\2" * 32, key=ED25519):
        return protobuf((1, digest), (2, key), *more)

    return {
        "good": manifest_wire(),
        "id-missing": manifest_wire(id=""),
        "id-long": manifest_wire(id="x" * 2000),
        "name-no-utf8": manifest_wire(name=b"\xff"),
        "two-datasets": manifest_wire(datasets=[dataset(), dataset(name="b")]),
        "same-dataset": manifest_wire(datasets=[dataset(), dataset()]),
        "same-name": manifest_wire(datasets=[dataset(), dataset(b"\3" * 32)]),
        "no-names": manifest_wire(datasets=[dataset(name=""), dataset(b"\3" * 32, name="")]),
        "many-datasets": manifest_wire(datasets=[dataset()] * 257),
        "hash-short": manifest_wire(datasets=[dataset(b"\1")]),
        "key-none": manifest_wire(datasets=[dataset(key=b"")]),
        "key-long": manifest_wire(datasets=[dataset(key=bytes(3000))]),
        "key-broken": manifest_wire(datasets=[dataset(key=b"x")]),
        "file-dots": manifest_wire(datasets=[dataset(name="..")]),
        "file-slash": manifest_wire(datasets=[dataset(name="a/b")]),
        "file-control": manifest_wire(datasets=[dataset(name="a\n")]),
        "file-long": manifest_wire(datasets=[dataset(name="a" * 300)]),
        "source": manifest_wire(datasets=[dataset(b"\1" * 32, ED25519, "a", (4, protobuf((2,
            "https://x"))))]),
        "kbs": manifest_wire(algorithm=algorithm((6, protobuf((2, 1))))),
        "type-python": manifest_wire(algorithm=algorithm((4, "python"))),
        "type-docker": manifest_wire(algorithm=algorithm((4, "docker"))),
        "type-unknown": manifest_wire(algorithm=algorithm((4, "x"))),
        "args": manifest_wire(algorithm=algorithm((5, "a"), (5, "b"))),
        "many-args": manifest_wire(algorithm=algorithm(*[(5, "a")] * 257)),
        "algorithm-missing": manifest_wire(algorithm=[]),
        "algorithm-hash": manifest_wire(algorithm=algorithm(digest=b"")),
        "consumers-same": manifest_wire(consumers=[protobuf((1, ED25519))] * 2),
        "consumer-none": manifest_wire(consumers=[b""]),
        "many-consumers": manifest_wire(consumers=[b""] * 257),
        "extension": manifest_wire(extension=protobuf((1, "stock"), (2, "all"))),
        "extension-folders": manifest_wire(extension=protobuf((1, "folders"))),
        "extension-consumers": manifest_wire(extension=protobuf((2, "consumers"))),
        "extension-provider": manifest_wire(extension=protobuf((2, "provider"))),
        "extension-requirements": manifest_wire(extension=protobuf((3, b"\4" * 32))),
        "extension-hash-short": manifest_wire(extension=protobuf((3, b"\4"))),
        "extension-replace": manifest_wire(extension=protobuf((4, 1))),
        "extension-layout": manifest_wire(extension=protobuf((1, "x"))),
        "extension-logs": manifest_wire(extension=protobuf((2, "x"))),
        "extension-empty": manifest_wire(extension=b""),
        "cache": manifest_wire(datasets=[dataset(b"\1" * 32, ED25519, "a", (100, 1))]),
        "broken": b"\xff",
        "consumers-other": manifest_wire(consumers=[protobuf((1, ED25519)), protobuf((1, SPKI))]),
    }


def access_table():
    key = b"00112233445566778899aabbccddeeff" * 2
    operator = b"operator uid 0\n"
    tenant = operator + b"tenant a uid 1\n"
    return {
        "all": b"# who may\n\n" + operator + b"\toperator gid\t27\ntenant a subject CN=a b,O=c\ntenant a key " + key
               + b"\nlimit a cvms 5\nlimit a cpus 8\nlimit a memory 16G\ntenant b spiffe spiffe://c/d",
        "nobody": b"tenant a uid 1\n",
        "twice": operator * 2,
        "two-tenants": operator + b"tenant a subject CN=x\ntenant b subject CN=x\n",
        "no-kind": b"operator\n",
        "other-kind": b"operator user root\n",
        "no-number": b"operator uid 0x\n",
        "zeros": b"operator uid 00\n",
        "large": b"operator uid 99999999999\n",
        "bad-key": b"operator key 00\n",
        "bad-spiffe": b"operator spiffe spiffe://a/\n",
        "bad-subject": b"operator subject a\n",
        "bad-name": b"tenant A uid 1\n",
        "other-word": b"user uid 1\n",
        "zero": b"operator uid 0\0\n",
        "long-line": b"#" * 4097 + b"\n",
        "limit-nobody": b"limit a cvms 1\n",
        "limit-other": tenant + b"limit a disks 1\n",
        "limit-words": tenant + b"limit a cvms 1 2\n",
        "limit-number": tenant + b"limit a cvms 1G\n",
        "limit-size": tenant + b"limit a memory x\n",
        "limit-twice": tenant + b"limit a cpus 1\n" * 2,
        "many-tenants": operator + b"".join(b"tenant t%d uid %d\n" % (n, n + 1) for n in range(257)),
    }


def host_table():
    tls = b"host b qemu+tls://b.example/system"
    good = tls + b" address=10.0.0.1 tees=snp"
    return {
        "all": b"# ours\n\nhost a qemu:///system tees=none\n\t" + tls
               + b"?pkipath=/etc/pki address=10.0.0.1\ttees=snp,none cpus=64 memory=256G machines=40 pool=b state=draining\n"
               b"host c qemu+ssh://root@c:22/system?keyfile=/k address=10.0.0.2 tees=tdx state=active\n"
               b"host d qemu+unix:///system?socket=/s address=10.0.0.3 tees=snp",
        "empty": b"# none\n",
        "other-word": b"machine a\n",
        "bad-name": b"host A qemu:///system tees=snp",
        "bad-transport": b"host a qemu+tcp://a/system tees=snp",
        "bad-option": tls + b"?no_verify=1 tees=snp",
        "two-options": tls + b"?pkipath=/a;no_verify=1 tees=snp",
        "ssh-option": b"host a qemu+ssh://-oX/system tees=snp",
        "no-system": b"host a qemu+ssh://a/session tees=snp",
        "long-uri": b"host a qemu+ssh://" + b"a" * 256 + b"/system tees=snp",
        "no-tees": tls + b" address=10.0.0.1",
        "no-address": tls + b" tees=snp",
        "local-address": b"host a qemu:///system tees=snp address=10.0.0.1",
        "other-key": good + b" color=red",
        "no-value": good + b" state",
        "key-twice": good + b" tees=snp",
        "tee-twice": tls + b" address=10.0.0.1 tees=snp,snp",
        "bad-address": tls + b" address=0.0.0.0 tees=snp",
        "bad-cpus": good + b" cpus=0",
        "many-cpus": good + b" cpus=1048577",
        "bad-machines": good + b" machines=4097",
        "bad-memory": good + b" memory=x",
        "bad-pool": good + b" pool=a/b",
        "bad-state": good + b" state=off",
        "name-twice": good + b"\nhost b qemu:///system tees=snp",
        "uri-twice": good + b"\nhost c qemu+tls://b.example/system address=10.0.0.1 tees=snp",
        "zero": good + b"\0\n",
        "long-line": b"#" * 1025 + b"\n",
        "one-more": b"c\nqemu+ssh://c/system\naddress=10.0.0.2 tees=tdx state=draining",
        "one-more-bad-name": b"c d\nqemu:///system\ntees=none",
        "one-more-bad-uri": b"c\nqemu:///system tees=none\ntees=snp",
        "one-more-line": b"c\nqemu:///system\ntees=none\nhost d qemu+tls://d/system tees=none",
        "many": b"".join(b"host h%d qemu+tls://h%d/system tees=snp address=10.0.0.1\n" % (n, n) for n in range(65)),
    }


def keyfile():
    return {
        "blanks": b" \t KEY_1=value \r\n\n# comment\nQUOTED=\"a b\"\nEMPTY=\n",
        "twice": b"A=1\nA=2\n",
        "no-value": b"A\n",
        "small": b"a=1\n",
        "digit": b"1A=1\n",
        "nameless": b"=1\n",
        "zero": b"A=\0\n",
        "no-utf8": b"A=\xff\n",
        "many": b"".join(b"K%d=1\n" % n for n in range(257)),
        "asked": b"OTHER=1\nASKED=yes\n",
        "asked-empty": b"ASKED=\n",
    }


def environment():
    url = b"AGENT_CVM_GRPC_URL=host:7001\n"
    certs = b"/etc/certs/"
    tls = (b"AGENT_CVM_GRPC_CLIENT_CERT=" + certs + b"cert.pem\nAGENT_CVM_GRPC_CLIENT_KEY=" + certs + b"key.pem\n"
           b"AGENT_CVM_GRPC_SERVER_CA_CERTS=" + certs + b"ca.pem\n")
    share = b"\x1ecert\x1ekey\x1eca"
    ca, token = b"AGENT_CVM_ID=cvm-1\nAGENT_CVM_CA_URL=https://ca\n", b"AGENT_CERTS_TOKEN=t\n"
    trusted = b"AGENT_CVM_GRPC_SERVER_CA_CERTS=" + certs + b"ca.pem\n"
    return {
        "tls": url + tls + share,
        "tls-zero": url + tls + b"\x1ece\0rt\x1ekey\x1eca",
        "tls-no-share": url + tls,
        "tls-no-ca": url + tls + b"\x1ecert\x1ekey",
        "cert-alone": url + tls.split(b"\n", maxsplit=1)[0] + b"\n" + share,
        "elsewhere": url + b"AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/shadow\n" + share,
        "other-file": url + b"AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/x.pem\n" + share,
        "no-url": b"AGENT_CVM_ID=1\n",
        "bad-url": b"AGENT_CVM_GRPC_URL=:\n",
        "bad-id": url + b"AGENT_CVM_ID=a\x01b\n",
        "id": url + b"AGENT_CVM_ID=cvm-1\n",
        "vmpl-4": url + b"AGENT_VMPL=4\n",
        "size": url + b"AGENT_ASSET_MAX=1G\nAGENT_RUN_TIME=1h\nAGENT_VMPL=2\n",
        "unknown": url + b"AGENT_NEW=1\n",
        "broken": b"A\n",
        "share-alone": share,
        "authority": url + ca + token + trusted + share,
        "authority-name": url + ca.replace(b"ca", b"[::1]:7002/") + b"AGENT_CERTS_TOKEN=n:t\n" + trusted + share,
        "authority-no-token": url + ca + trusted + share,
        "authority-unknown": url + ca + token + share,
        "authority-beside": url + tls + ca + token + share,
        "authority-no-url": url + b"AGENT_CVM_CA_URL=http://ca\n" + token + trusted + share,
        "words": b" cocos.role_signature  quiet\tro\nx\n",
    }


def requirements():
    markers = [
        "python_version >= '3.8'", 'python_version<"3.9"', "python_version ~= '3.9'", "'3.10' <= python_version",
        "'3.10' >= python_version", "'3.12' > python_version", "'3.1' < python_version", "'3.11' == python_version",
        "python_version in '3.10 3.11'", "python_version not in '3.10'", "python_full_version >= '3.8.1'",
        "sys_platform != 'win32'", "platform_machine == 'x86_64'", "'linux' in sys_platform",
        "os_name == 'nt' and (os_name == 'posix' or os_name == 'posix')", "os_name == 'nt' or os_name == 'posix'",
        "((((os_name == 'posix'))))", "(" * 40 + "os_name == 'posix'" + ")" * 40, "extra == 'dev'", "'-' == extra",
        "extra == ''", "", "python_version", "python_version >=", "python_version >= '3.8", "(os_name == 'posix'",
        "python_version >= '3' os_name == 'posix'", "python_version not '3'", "no_variable == '3'", "'a' == 'a'",
        "os_name == sys_platform", "os_name < 'posix'", "python_version >= 'abc'", "platform_release >= '5'",
        "python_full_version >= '3.11.4'", "os_name == '" + "x" * 300 + "'"]
    seeds = {f"marker-{n:02}": f"name; {marker}\n".encode() for n, marker in enumerate(markers)}
    return seeds | {
        "extras": b"name[ a , B_c ]~=1.0,!=1.1 --hash=sha256:" + b"0" * 64 + b"\n",
        "extras-empty": b"name[]\n",
        "extras-open": b"name[a\n",
        "extras-no-name": b"name[-]\n",
        "extras-long": b"name[" + b"a" * 120 + b"," + b"b" * 120 + b"," + b"c" * 120 + b"]\n",
        "extras-twice": b"name[a,a]\n",
        "dependency": b"name (>=1.0,<2) ; extra == 'dev'",
        "dependency-extras": b"name[a] (>=1.0)",
        "dependency-open": b"name (>=1.0",
        "dependency-address": b"name @ https://host/name.whl",
        "dependency-hash": b"name --hash=sha256:" + b"0" * 64,
        "twice": b"name\nName\n",
        "left-out": b"name; os_name == 'nt'\nname\n",
    }


def http_form():
    return {
        "empty": b"",
        "all": b"a=1&b=2%2B2+3&empty=&flag&%C3%A4=%26%3D",
        "lines": b"text=%0Aa%0D%0A%0Ab%0D%0A&t=%0A&a=1",
        "lines-elsewhere": b"a=1%0A2",
        "return-alone": b"text=1%0D2",
        "control-in-a-line": b"text=a%0A%1Bb%0Ac",
        "control-in-the-last": b"text=a%0A%1Bb",
        "zero": b"text=%00",
        "zero-byte": b"a=\0",
        "pairs": b"&".join(b"n%d" % n for n in range(64)),
        "too-many-pairs": b"&".join(b"n%d" % n for n in range(65)),
        "twice": b"a=1&%61=2",
        "no-name": b"=1",
        "no-pair": b"a=1&",
        "half": b"a=%4",
        "no-hex": b"a=%4g",
        "unquoted": b"a=[1]",
        "no-utf8": b"a=%ff",
    }


def http_target():
    return {
        "root": b"/",
        "root-query": b"/?a=b",
        "all": b"/a/b%20c/%C3%A4!$&'()*+,;=:@-._~?x=1&y=2%2B2&z=a+b&empty=&flag&w=/?:@",
        "segments": b"/s" * 16,
        "too-many-segments": b"/s" * 17,
        "pairs": b"/?" + b"&".join(b"n%d" % n for n in range(32)),
        "too-many-pairs": b"/?" + b"&".join(b"n%d" % n for n in range(33)),
        "long-segment": b"/" + b"a" * 256,
        "long": b"/?x=" + b"a" * 4093,
        "no-slash": b"a",
        "empty": b"",
        "double-slash": b"/a//b",
        "last-slash": b"/a/",
        "dot": b"/a/./b",
        "dots": b"/a/%2e%2E/b",
        "slash": b"/a%2fb",
        "backslash": b"/a%5cb",
        "zero": b"/a%00",
        "half": b"/a%4",
        "no-digit": b"/a%g4",
        "no-utf8": b"/%ff",
        "turned": b"/%e2%80%ae",
        "space": b"/a b",
        "bracket": b"/a?x=[",
        "twice": b"/a?x=1&%78=2",
        "no-name": b"/a?=1",
        "query-zero": b"/a?x=%00",
    }


def http_field():
    return {
        "etag": b'n"abc"',
        "etags": b'n"x", W/"abc" ,"\xc3\xa4"',
        "etag-any": b"n * ",
        "etag-any-more": b"n* x",
        "etag-bare": b"nabc",
        "etag-open": b'n"abc',
        "etag-long": b"n" + b" " * 4097,
        "etag-many": b"n" + b",".join([b'"a"'] * 65),
        "etag-no-comma": b'n"a" "b"',
        "accept-any": b"a*/*",
        "accept": b"aapplication/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "accept-quoted": b'aapplication/openmetrics-text; version="1.0.0"; charset=utf-8;q=0.8, text/*;q=0.7',
        "accept-text": b"atext/*;q=0.5, text/html, image/*, */*;a=b, text/*;a=b",
        "accept-none": b"atext/html",
        "accept-zero": b"a*/*;q=0.000",
        "accept-other": b"atext/plain;version=1;a=b",
        "accept-q": b"a*/*;q=2",
        "accept-q-much": b"a*/*;q=1.001",
        "accept-q-long": b"a*/*;q=0.1234",
        "accept-q-word": b"a*/*;q=0.x",
        "accept-no-subtype": b"atext/",
        "accept-no-slash": b"atext",
        "accept-no-type": b"a/",
        "accept-no-value": b"a*/*;a",
        "accept-empty-value": b"a*/*;a=",
        "accept-open-quote": b'a*/*;a="b',
        "accept-escape": b'a*/*;a="\\b"',
        "accept-parameters": b"aa/b" + b";c=d" * 9,
        "accept-many": b"a" + b",".join([b"*/*"] * 65),
        "accept-long": b"a" + b"a" * 4097,
        "cookie": b"ca=b; name=value;c",
        "cookie-none": b"cnames=x; nam=y",
        "cookie-twice": b"cname=a; name=b",
        "cookie-large": b"cname=" + b"x" * 16,
        "cookie-many": b"c" + b"a;" * 65,
        "cookie-long": b"c" + b"a" * 4097,
        "event": b"l9223372036854775807",
        "event-over": b"l9223372036854775808",
        "event-word": b"l1a",
        "event-empty": b"l",
        "type": b"tapplication/json; charset=utf-8",
        "type-other": b"ttext/plain",
        "type-list": b"tapplication/json, text/plain",
        "type-long": b"t" + b"a" * 4097,
    }


TARGETS = [access_table, host_table, json, manifest_json, manifest, keyfile, environment, requirements, http_form, http_target, http_field]
