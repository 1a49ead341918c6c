#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chains of calls that schemathesis makes of the API's document, by the links that it infers between what one answers and the
next wants. A row of JSON for each on standard output, and for each an answer on standard input; {"begins": N} is a new chain.
Run by web_everybody.py, in a virtual environment that has schemathesis 4.

Usage: schemathesis_chains.py DOCUMENT [CHAINS [STEPS [SEED]]]
"""
import base64
import json
import sys

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis_cases import prepared, written

AT_ONCE = 8  # hypothesis begins with the simplest one each time
ROWS, sys.stdout = sys.stdout, sys.stderr


def say(row):
    ROWS.write(row + "\n")
    ROWS.flush()


def machine_of(document, begun):

    class Chain(schemathesis.openapi.from_dict(document).as_state_machine()):
        """Somebody else sends what it makes, and judges what is answered."""

        def setup(self):
            begun.append(len(begun) + 1)
            say(json.dumps({"begins": begun[-1]}))

        def call(self, case, **_):
            say(written(case, case.operation, case.meta.generation.mode))
            answer = json.loads(sys.stdin.readline())
            return schemathesis.Response(status_code=answer["status"], headers={name: [value] for name, value in answer["fields"].items()},
                                         content=base64.b64decode(answer["body"]), request=prepared(case), elapsed=0.0, verify=False)

        def validate_response(self, response, case, **_):  # pylint: disable=arguments-differ
            pass
    return Chain


def run(machine, count, steps, seed):
    hypothesis.core.global_force_seed = seed
    try:
        machine.run(settings=settings(max_examples=count, stateful_step_count=steps, deadline=None, database=None,
                                      suppress_health_check=list(HealthCheck), phases=[Phase.generate]))
    except hypothesis.errors.Flaky:
        pass  # what was answered before is answered differently now, since something was made or removed: others begin anew


if __name__ == "__main__":
    source, *numbers_ = sys.argv[1:]
    chains, steps_, seed_ = [*map(int, numbers_), *(20, 12, 1)[len(numbers_):]]
    begun = []
    with open(source, encoding="utf-8") as file:
        made = machine_of(json.load(file), begun)
    while len(begun) < chains:
        run(made, AT_ONCE, steps_, seed_ + len(begun))
