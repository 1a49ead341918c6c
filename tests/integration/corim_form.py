#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`attestation check corim` over whole CoRIMs made by python3-cbor2, each mandatory member taken out or of another
type once: what judges nothing is held to its form as well, and named as stepped over."""
import json

import tap
from cbor2 import CBORTag, dumps
from harness import Folder, cli

ENVIRONMENT = {0: {1: "vendor", 4: 3}}
MEASUREMENT = {1: {1: CBORTag(552, 1)}}
STATEFUL = [ENVIRONMENT, [MEASUREMENT]]
KEY = CBORTag(554, "-----BEGIN PUBLIC KEY-----")
COTL = {0: {0: "list"}, 1: [{0: "one", 1: 2}], 2: {0: CBORTag(1, 1000), 1: CBORTag(1, 1900000000)}}
COSWID = {0: "swid", 1: "name", 2: {31: "entity", 33: 1}, 12: 0}
COMID = {
    0: "en-GB", 1: {0: "comid", 1: 1}, 2: [{0: "maker", 1: CBORTag(32, "https://maker.example"), 2: [0, 1]}],
    3: [{0: "older", 1: 1}],
    4: {0: [[ENVIRONMENT, [MEASUREMENT]]], 1: [[ENVIRONMENT, [MEASUREMENT]]], 2: [[ENVIRONMENT, [KEY]]],
        3: [[ENVIRONMENT, [KEY]]], 4: [[ENVIRONMENT, [ENVIRONMENT]]], 5: [["domain", [ENVIRONMENT]]],
        6: [[ENVIRONMENT, ["swid"]]], 8: [[STATEFUL, [[[MEASUREMENT], [MEASUREMENT]]]]],
        10: [[[STATEFUL], [[ENVIRONMENT, [MEASUREMENT]]]]], -1: "a profile's own"}}
CORIM = {0: "corim", 2: [{0: CBORTag(32, "https://rims.example")}], 3: CBORTag(32, "https://profile.example"),
         4: {1: CBORTag(1, 1900000000)}, 5: [{0: "signer", 1: CBORTag(32, "https://signer.example"), 2: [1]}]}
STEPPED_OVER = ["dependent-rims", "endorsed-triples", "identity-triples", "attest-key-triples",
                "dependency-triples", "membership-triples", "coswid-triples", "conditional-endorsement-series-triples",
                "conditional-endorsement-triples", "triples -1", "tag 508", "tag 505"]
GONE = object()

# Where, what stands there instead, and what is said of it.
BROKEN = (
    ("corim", (5, 0, 0), GONE, "entity without a name"), ("corim", (5, 0, 0), "", "entity without a name"),
    ("corim", (5, 0, 2), GONE, "without roles"), ("corim", (5, 0, 2), [], "roles"),
    ("corim", (5, 0, 2), ["signer"], "a role that is no number"), ("corim", (5, 0, 1), "no tag", "reg-id"),
    ("corim", (5,), [], "entities"), ("corim", (5,), {}, "entities"), ("corim", (3,), CBORTag(32, 7), "profile"),
    ("corim", (3,), "https://profile.example", "profile"), ("corim", (2,), [], "dependent-rims"),
    ("corim", (2, 0, 0), GONE, "href"), ("corim", (2, 0, 0), "https://rims.example", "URI"),
    ("comid", (0,), 7, "language"), ("comid", (2, 0, 2), GONE, "without roles"),
    ("comid", (2, 0, 1), 7, "reg-id"), ("comid", (3, 0, 1), GONE, "linked tag"), ("comid", (3, 0, 0), 7, "name"),
    ("comid", (4, 1), [], "endorsed-triples"), ("comid", (4, 1, 0, 1), [], "triple"),
    ("comid", (4, 1, 0, 0), {}, "environment"), ("comid", (4, 1, 0, 1, 0), {}, "measurement"),
    ("comid", (4, 2, 0, 1, 0), "key", "a key of unknown form"), ("comid", (4, 3, 0, 1), [], "triple"),
    ("comid", (4, 4, 0), [ENVIRONMENT], "another form"), ("comid", (4, 5, 0, 1), [], "triple"),
    ("comid", (4, 6, 0, 1, 0), 7, "name"), ("comid", (4, 8, 0, 0), [ENVIRONMENT], "condition"),
    ("comid", (4, 8, 0, 1, 0), [[MEASUREMENT]], "series"), ("comid", (4, 8, 0, 1, 0, 1), [], "addition"),
    ("comid", (4, 10, 0, 0), [], "conditions"), ("comid", (4, 10, 0, 1), [], "endorsements"),
    ("comid", (4, 0, 0, 0, 0, 4), "three", "index"),
    ("cotl", (0,), GONE, "CoTL"), ("cotl", (1,), [], "tags-list"), ("cotl", (1, 0, 0), GONE, "identity"),
    ("cotl", (2,), GONE, "CoTL"), ("cotl", (2, 1), GONE, "validity"), ("cotl", (2, 1), CBORTag(1, 1500), "a CoTL holds"),
    ("cotl", (2, 0), CBORTag(1, 1890000000), "a CoTL holds"),
    ("coswid", (0,), GONE, "CoSWID"), ("coswid", (1,), 7, "CoSWID"), ("coswid", (2,), GONE, "CoSWID"),
    ("coswid", (12,), "0", "CoSWID"),
)


def apart(value):
    """A copy that shares nothing with itself, unlike copy.deepcopy()'s."""
    if isinstance(value, dict):
        return {key: apart(item) for key, item in value.items()}
    return [apart(item) for item in value] if isinstance(value, list) else value


def parts():
    return apart({"corim": CORIM, "comid": COMID, "cotl": COTL, "coswid": COSWID})


def check(folder, made):
    tags = [CBORTag(506, dumps(made["comid"])), CBORTag(508, dumps(made["cotl"])), CBORTag(505, dumps(made["coswid"]))]
    path = folder.write("corim", dumps(CBORTag(501, made["corim"] | {1: tags})))
    return cli("attestation", "check", "corim", path, "--at", "2026-03-01T12:00:00Z", "--json")


def a_whole_one_holds_and_names_what_is_stepped_over():
    with Folder() as folder:
        told = json.loads(check(folder, parts()).ok())
        assert told["verdict"] == "holds" and told["stepped_over"] == STEPPED_OVER, told
        reference = told["fields"]["tags"][0]["reference_values"][0]["environment"]
        assert reference == {"vendor": "vendor", "index": 3}, reference


def a_plain_one_steps_over_nothing():
    with Folder() as folder:
        plain = dumps(CBORTag(501, {0: "corim", 1: [CBORTag(506, dumps(
            {1: {0: "comid"}, 4: {0: [[ENVIRONMENT, [MEASUREMENT]]]}}))]}))
        told = json.loads(cli("attestation", "check", "corim", folder.write("plain", plain), "--json").ok())
        assert told["stepped_over"] == [], told


def each_member_that_is_missing_or_mistyped_is_refused_by_name():
    with Folder() as folder:
        for part, place, value, said in BROKEN:
            made = parts()
            at = made[part]
            for key in place[:-1]:
                at = at[key]
            if value is GONE:
                del at[place[-1]]
            else:
                at[place[-1]] = value
            run = check(folder, made)
            # What can be read and is out of its time is not genuine; all else is malformed.
            assert run.status == (3 if " holds" in said else 4), (part, place, value, run.out, run.err)
            assert said in json.loads(run.out)["reason"], (part, place, run.out)


tap.run([a_whole_one_holds_and_names_what_is_stepped_over, a_plain_one_steps_over_nothing,
         each_member_that_is_missing_or_mistyped_is_refused_by_name])
