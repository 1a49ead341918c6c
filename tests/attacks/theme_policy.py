# SPDX-License-Identifier: Apache-2.0
"""The owner's policy, or what somebody slipped him for one: whatever it says, it never comes to mean
that anything will do. The machine is the one that the twin's policy accepts."""
import functools
import json

from rows import row
from world import IMAGE, MANIFEST, OTHER_IMAGE, Machine, owner, uploaded


@functools.lru_cache(None)
def machine():
    return Machine()


def with_policy(name, check, policy, about):
    """A row: text, or sections, in the place of the owner's policy."""
    def attempt(evil):
        path = owner().policy()
        if evil:
            text = policy if isinstance(policy, (str, bytes)) else json.dumps(policy)
            path = owner().write("evil-policy.json", text)
        return uploaded(machine().script, machine().identity, policy=path)
    attempt.__doc__, attempt.__module__ = about, __name__
    row(name, check)(attempt)


def ours(**sections):
    return dict({"cocos": 1, "snp": {"measurements": [IMAGE.hex()]}}, **sections)


with_policy("policy-of-another-image", "policy.measurement",
            ours(snp={"measurements": [OTHER_IMAGE.hex()]}), "The policy expects another image.")
with_policy("policy-empty-file", "malformed, or cut short", "", "A file of no bytes.")
with_policy("policy-empty-object", "'policy' is missing", "{}", "An object that says nothing.")
with_policy("policy-of-nothing-in-particular", "policy.given", {"cocos": 1},
            "Ours, which names no measurement.")
with_policy("policy-without-a-measurement", "policy.measurement", ours(snp={}), "A section that names none.")
with_policy("policy-with-an-empty-list", "measurements: 0 values", ours(snp={"measurements": []}),
            "A list of acceptable measurements with nothing in it.")
with_policy("policy-with-a-zero-measurement", "policy.measurement",
            ours(snp={"measurements": ["00" * 48]}), "Zeros, as a template has them.")
with_policy("policy-with-a-short-measurement", "32 hexadecimal digits",
            ours(snp={"measurements": [IMAGE.hex()[:32]]}), "The first bytes of the right one.")
with_policy("policy-with-a-wildcard", "1 hexadecimal digits", ours(snp={"measurements": ["*"]}),
            "A measurement of '*'.")
with_policy("policy-with-an-unknown-key", "unknown key 'verify'", ours(verify=False),
            "A key that nobody knows, which was meant to do something.")
with_policy("policy-with-an-unknown-key-inside", "unknown key 'measurement'",
            ours(snp={"measurement": [IMAGE.hex()]}), "A misspelt key would be no check at all.")
with_policy("policy-with-a-key-twice", "the same key twice",
            '{"cocos":1,"snp":{"measurements":["' + OTHER_IMAGE.hex() + '"],"measurements":["' +
            IMAGE.hex() + '"]}}', "Two lists, of which parsers take the first or the last.")
with_policy("policy-that-is-truncated", "malformed, or cut short", json.dumps(ours())[:-5],
            "A file that was cut off on its way.")
with_policy("policy-in-which-a-number-is-rounded", "is not a whole number",
            '{"policy":{"minimumTcb":15352208179752599555.0}}',
            "A TCB that a parser of doubles would round.")
with_policy("policy-for-another-platform", "policy.given",
            {"cocos": 1, "tdx": {"mrtd": [IMAGE.hex()]}}, "A policy of TDX says nothing of SNP.")
with_policy("policy-with-null-for-chips", "chip_ids: null says nothing",
            ours(snp={"measurements": [IMAGE.hex()], "chip_ids": None}),
            "A template whose list of chips was never filled in.")
with_policy("policy-with-an-empty-floor", "min_launch_tcb: is empty",
            ours(snp={"measurements": [IMAGE.hex()], "min_tcb": {"snp": 1}, "min_launch_tcb": {}}),
            "A floor without components, which would take the other floor away.")
with_policy("policy-of-an-older-form-with-checks-off", "measurement: is empty",
            {"policy": {"measurement": "", "report_data": ""}, "verify_signature": False},
            "The older form, with empty fields, and its signature check switched off.")
with_policy("policy-that-turns-checks-off", "unknown key 'verify_signature'",
            ours(snp={"measurements": [OTHER_IMAGE.hex()]}, verify_signature=False),
            "Ours for another image, with the older form's switch for signatures.")
with_policy("policy-of-another-manifest", "run.manifest",
            ours(run={"manifests": [(b"\x55" * 32).hex()]}), "The owner expects another computation.")
with_policy("policy-of-another-stock-agent", "vouches for any run statement",
            ours(run={"agent": "stock", "manifests": [MANIFEST.hex()]}),
            "The right manifest of an agent that vouches for any run statement: nobody would ever be held to it.")
with_policy("policy-of-a-stock-agent-s-boot", "vouches for any run statement",
            ours(run={"agent": "stock", "fixed_boot": True}),
            "What such an agent says that was fixed at launch, a forger says, too.")
