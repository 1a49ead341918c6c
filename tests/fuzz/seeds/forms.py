# SPDX-License-Identifier: Apache-2.0
"""The form by which a computation is made on the page."""
from urllib.parse import urlencode

ROWS = range(1, 6)
CERT = "-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n"
KEY = "-----BEGIN PRIVATE KEY-----\r\nMC4C\r\n-----END PRIVATE KEY-----\r\n"


def web_new():
    plain = {"csrf": "0" * 64, "id": "11111111-2222-4333-8444-555555555555", "workspace": "default", "name": "sum",
             "description": "what it is", "type": "python", "algorithm": "summing", "provider": "anna", "arguments": "",
             "consumers": "carl", "security": "attested",
             **{f"d{row}_{field}": "" for row in ROWS for field in ("name", "file", "user")}}
    two = {"d1_name": "a.csv", "d1_file": "first", "d1_user": "bert", "d2_file": "ab" * 32, "d2_user": "carl",
           "d2_unpack": "true"}

    def sent(**more):
        return urlencode({**plain, **more}).encode()

    def without(name):
        return urlencode({key: value for key, value in plain.items() if key != name}).encode()

    return {
        "plain": sent(),
        "two": sent(**two, roles="true", level="debug"),
        "all": sent(roles="true", **{f"d{row}_{field}": f"{field}{row}" for row in ROWS for field in ("name", "file", "user")},
                    **{f"d{row}_unpack": "true" for row in ROWS}),
        "same-user": sent(**two, roles="true", provider="bert", consumers="bert carl,bert"),
        "unpack-alone": sent(d3_unpack="true"),
        "digest": sent(algorithm="0f" * 32),
        "digest-short": sent(algorithm="0f" * 31 + "0"),
        "digest-upper": sent(algorithm="0F" * 32),
        "prefix": sent(algorithm="asset:x", provider="user:y"),
        "escaped": sent(name='<&>"\\', description="ä€𝄞", algorithm="</script>", d1_name="\u2028", d1_file="x", d1_user="y"),
        "arguments": sent(arguments=' one  "two three" "a\\"b\\\\" four"five six"'),
        "arguments-open": sent(arguments='one "two'),
        "arguments-empty": sent(arguments='""'),
        "arguments-most": sent(arguments=" ".join("a" * 64)),
        "arguments-more": sent(arguments=" ".join("a" * 65)),
        "arguments-backslash": sent(arguments='\\ "\\n" \\'),
        "consumers-most": sent(consumers=",".join(f"c{n}" for n in range(8))),
        "consumers-more": sent(consumers=" ".join(f"c{n}" for n in range(9))),
        "consumers-none": sent(consumers=" ,"),
        "user-most": sent(provider="p" * 64),
        "user-more": sent(provider="p" * 65),
        "user-more-consumer": sent(consumers="p" * 300),
        "user-more-dataset": sent(d5_user="p" * 300),
        "id-short": sent(id="1111"),
        "id-none": sent(id="11111111-2222-4333-8444-55555555555g"),
        "level-other": sent(level="loud"),
        "level-empty": sent(level=""),
        "security-other": sent(security="some"),
        "no-tls": sent(security="none"),
        "no-tls-cert": sent(security="none", cert=CERT),
        "tls": sent(security="tls", cert=CERT, key=KEY, server_ca=CERT),
        "tls-no-key": sent(security="tls", cert=CERT),
        "mtls": sent(security="mtls", cert=CERT, key=KEY, client_ca=CERT),
        "mutual": sent(security="mutual", client_ca=CERT, server_ca=CERT, level="warn"),
        "attested-files": sent(cert=CERT, key=KEY),
        "cert-path": sent(security="tls", cert="/etc/cert.pem", key=KEY),
        "cert-is-key": sent(security="tls", cert=KEY, key=KEY),
        "cert-lone-return": sent(security="tls", cert=CERT.replace("\r\n", "\r"), key=KEY),
        "name-lines": sent(name="a\nb"),
        "lacks": without("consumers"),
        "lacks-row": without("d5_user"),
        "more": sent(x="1"),
        "twice": sent() + b"&name=again",
        "no-utf8": sent() + b"&cert=%ff",
        "zero": sent() + b"\0",
        "long-hash": sent(algorithm="a" * 4200),
        "long-made": sent(description="<" * 43400),
        "form-most": sent() + b"&cert=" + b"x" * ((128 << 10) - len(sent()) - 6),
        "form-more": sent() + b"&cert=" + b"x" * ((128 << 10) - len(sent()) - 5),
        "empty": b"",
    }


TARGETS = [web_new]
