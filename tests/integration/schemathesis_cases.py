#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases that schemathesis makes of the API's document, for web_everybody.py to send: with what the schemas of each operation
allow, and with what they don't. Debian has no schemathesis: this is run by hand, in a virtual environment that has it.

Usage: schemathesis_cases.py DOCUMENT CASES [COUNT [SEED]]    COUNT of each kind and operation
"""
import base64
import json
import sys

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode

HOST = "http://localhost"


def prepared(case):
    wire = case.as_transport_kwargs(base_url=HOST)
    return requests.Request(**{key: wire[key] for key in ("method", "url", "headers", "data", "json", "params", "cookies") if key in wire}).prepare()


def written(case, operation, mode):
    """What goes over the wire but the token, as a row of JSON."""
    request = prepared(case)
    body = request.body.encode("utf-8", "surrogatepass") if isinstance(request.body, str) else request.body
    headers = [(key, value if isinstance(value, str) else value.decode("latin-1")) for key, value in request.headers.items()]
    return json.dumps({"op": operation.label, "mode": mode.value, "method": request.method, "path": request.url.removeprefix(HOST),
                       "headers": headers, "body": None if body is None else base64.b64encode(body).decode()})


def cases_of(operation, mode, count, number):
    made = []

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case):
        made.append(written(case, operation, mode))
    collect()
    return made


if __name__ == "__main__":
    source, target, *numbers = sys.argv[1:]
    count_, seed_ = [*map(int, numbers), *(3, 1)[len(numbers):]]
    with open(source, encoding="utf-8") as document, open(target, "w", encoding="utf-8") as file:
        for result in schemathesis.openapi.from_dict(json.load(document)).get_all_operations():
            for mode_ in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for row in cases_of(result.ok(), mode_, count_, seed_):
                    file.write(row + "\n")
