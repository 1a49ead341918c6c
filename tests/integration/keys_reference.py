# SPDX-License-Identifier: Apache-2.0
"""Pages that promise the keys of a file have those that are parsed, and no others: manifests with their
agent_config (files of `computation create` too), policies of both forms, image.json. Settings, of which a boot configuration is
made, have a test of their own (settings_reference).

Which keys are parsed the programs are asked: every word that stands as a string in a parser's sources,
and every word of the page, at each place of a file."""
import ast
import glob
import json
import os
import re

import tap
from harness import Folder, cli
from settings_reference import path_of, table_below, text_of

WORD = re.compile(r'"([a-z][a-z0-9_]*)"')
UNKNOWN = re.compile(r"key '(\w+)' is unknown|unknown key '(\w+)'")


def words(*patterns):
    """Those that stand as strings in these sources."""
    files = [path for pattern in patterns for path in sorted(glob.glob(path_of(*pattern.split("/"))))]
    assert len(files) >= len(patterns), patterns
    found = set()
    for path in files:
        with open(path, encoding="utf-8") as file:
            found |= set(WORD.findall(file.read()))
    assert found, patterns
    return found


def taken(candidates, wrap, *command):
    """Those that are not refused as unknown in the JSON that wrap() makes of {candidate: null}."""
    found = set()
    with Folder() as folder:
        for word in sorted(candidates | {"no_such_key"}):
            path = folder.write("file.json", json.dumps(wrap({word: None})))
            said = cli(*command, path).err
            unknown = UNKNOWN.search(said)
            assert not unknown or word in unknown.groups(), said
            if not unknown:
                found.add(word)
    assert "no_such_key" not in found, "a key that nobody parses is taken"
    return found


def compare(page, place, promised, candidates, wrap, *command):
    parsed = taken(candidates | promised, wrap, *command)
    assert promised - parsed == set(), f"{page}, {place}: not parsed: {promised - parsed}"
    assert parsed - promised == set(), f"{page}, {place}: not told: {parsed - promised}"
    assert promised, (page, place)


# ---- manifests ----

def manifest_of_the_page():
    """The JSON that cocos-cli(1) shows."""
    page = text_of("packaging", "man", "cocos-cli.1")
    text = re.search(r"^\.SH MANIFESTS.*?^\.nf\n(.*?)^\.fi\n", page, re.M | re.S)[1]
    return json.loads(text.replace("\\-", "-"))


def keys_of(shown):
    """With the other spellings that a value tells, "(or NAME)"."""
    found = set(shown)
    for value in shown.values():
        found |= set(re.findall(r"\(or (\w+)\)", value)) if isinstance(value, str) else set()
    return found


def the_manual_page_has_the_keys_of_manifests():
    page, candidates = manifest_of_the_page(), words("common/manifest/*.c")
    dataset, algorithm = page["datasets"][0], page["algorithm"]
    places = {
        "top": (page, lambda keys: keys),
        "datasets": (dataset, lambda keys: {"datasets": [keys]}),
        "datasets.source": (dataset["source"], lambda keys: {"datasets": [{"source": keys}]}),
        "datasets.kbs": (dataset["kbs"], lambda keys: {"datasets": [{"kbs": keys}]}),
        "algorithm": (algorithm, lambda keys: {"algorithm": keys}),
        "algorithm.source": (algorithm["source"], lambda keys: {"algorithm": {"source": keys}}),
        "algorithm.kbs": (algorithm["kbs"], lambda keys: {"algorithm": {"kbs": keys}}),
        "result_consumers": (page["result_consumers"][0], lambda keys: {"result_consumers": [keys]}),
        "agent_config": (page["agent_config"], lambda keys: {"agent_config": keys}),
        "cocos": (page["cocos"], lambda keys: {"cocos": keys}),
    }
    for place, (shown, wrap) in places.items():
        compare("cocos-cli.1", place, keys_of(shown), candidates, wrap, "checksum", "--manifest")


def files_of_computation_create_are_manifests():
    """The same reader: whatever the page has is taken, and nothing else."""
    for word in keys_of(manifest_of_the_page()) | {"no_such_key"}:
        with Folder() as folder:
            path = folder.write("file.json", json.dumps({word: None}))
            said = cli("computation", "create", "--dry-run", path).err
        assert (f"key '{word}' is unknown" in said) == (word == "no_such_key"), said


# ---- policies ----

POLICY = text_of("docs", "policy.md")
OWN_HEAD = "| key | meaning | default |\n|---|---|---|\n"
OLDER_HEAD = "| object | keys |\n|---|---|\n"


def quoted(cell):
    return re.findall(r"`([a-z0-9_.]+)`", cell)


def own_keys():
    """{section: keys} of our form."""
    found = {}
    for heading in re.findall(r"^### (.*)$", POLICY, re.M):
        if not quoted(heading):
            continue  # of RTMR0, which has no keys
        text = POLICY[POLICY.index(f"### {heading}\n"):]
        for row in table_below(OWN_HEAD, text):
            for name in quoted(row[0]):
                section, _, key = name.rpartition(".")
                found.setdefault(section or quoted(heading)[0], set()).add(key)
    assert set(found) == {"snp", "tdx", "tpm", "token", "run", "crl", "tls"}, found
    return found


def older_keys():
    found = {row[0].strip("`"): set(quoted(row[1])) for row in table_below(OLDER_HEAD, POLICY)}
    assert len(found) == 8, found
    return found


def the_page_has_the_keys_of_our_policies():
    candidates = words("attestation/policy/*.c")
    for section, promised in own_keys().items():
        compare("policy.md", section, promised, candidates,
                lambda keys, section=section: {"cocos": 1, section: keys}, "policy", "validate")


def the_page_has_the_keys_of_older_policies():
    candidates = words("attestation/policy/policy_older*.c")
    places = {
        "policy": lambda keys: {"policy": keys},
        "policy.product": lambda keys: {"policy": {"product": keys}},
        "policy of a TD": lambda keys: {"policy": {"header_policy": None, **keys}},
        "policy.header_policy": lambda keys: {"policy": {"header_policy": keys}},
        "policy.td_quote_body_policy": lambda keys: {"policy": {"td_quote_body_policy": keys}},
        "root_of_trust": lambda keys: {"policy": {}, "root_of_trust": keys},
        "eat_validation": lambda keys: {"policy": {}, "eat_validation": keys},
    }
    told = older_keys()
    top = told.pop("a file")
    assert set(told) == set(places)
    # Keys that make it a policy of a TD are none of the other kind.
    a_td = told["policy of a TD"]
    for place, wrap in places.items():
        compare("policy.md", place, told[place], candidates - (a_td if place == "policy" else set()), wrap, "policy",
                "validate")
    both = top | {"cocos"} | set(own_keys())
    compare("policy.md", "a file", both, words("attestation/policy/*.c"),
            lambda keys: {"policy": {}, **keys} if "policy" not in keys else keys, "policy", "validate")


def each_key_of_a_tee_has_its_option():
    """As the page promises of `policy create`; `events` and `tables` are of `policy create --image`."""
    source = text_of("cli", "cmd", "cmd_policy_create.c")
    for section in ("snp", "tdx"):
        rows = re.search(rf"struct row {section}_rows\[\] = {{(.*?)^}};", source, re.M | re.S)[1]
        options = dict(re.findall(r'{ "([a-z0-9-]+)", "(\w+)", [A-Z]+ }', rows))
        assert set(options.values()) == own_keys()[section] - {"events", "tables"}, section
        said = cli("policy", "create", section, "--help").out
        assert all(f"--{option} " in said for option in options), section


# ---- image.json ----

def the_page_has_the_keys_of_image_json():
    """All that the manager and the command line read, and all that the recipe writes."""
    page = text_of("docs", "guest-image.md")
    promised = {name for head in ("| Key | Value |\n|---|---|\n", "| Key of `image.json` | Value |\n|---|---|\n")
                for row in table_below(head, page) for name in quoted(row[0])}
    top = {name.split(".")[0] for name in promised}
    parts = {name.split(".")[1] for name in promised if "." in name}
    parts |= set(re.findall(r'"(\w+)": ', re.search(r"each `({.*?})`", page)[1]))
    source = text_of("common", "manifest", "image.c")
    read = set(re.findall(r'(?:json_get\w*|copy_text|read_part)\(\w+(?:, \w+)?, "(\w+)"', source))
    assert {"kernel", "cmdline", "cmdline_words", "root", "sha256", "version"} <= read, read
    assert read <= top | parts, f"read, and not told: {read - top - parts}"
    recipe = text_of("guest", "recipe", "image.py")
    written = set(re.findall(r'record\["(\w+)"\]', recipe))
    parts_of = re.search(r"for key, name in \((\(.*\))\):", recipe)[1]
    written |= set(re.findall(r'\("(\w+)", ', parts_of))
    for text in re.findall(r"(?:\breturn|record =) ({.*?})\n", recipe, re.S):
        written |= set(re.findall(r'"(\w+)": ', text))
    # One of these forms is in each.
    forms = re.search(r"^BOOT_FROM = ({.*?})$", text_of("guest", "recipe", "flavours.py"), re.M | re.S)[1]
    for form in ast.literal_eval(forms).values():
        written |= set(form["record"])
        for value in form["record"].values():
            assert not isinstance(value, dict) or set(value) <= parts, value
    assert top <= written, f"told, and not written: {top - written}"
    assert written <= top | parts, f"written, and not told: {written - top - parts}"


if __name__ == "__main__":
    assert os.path.exists(path_of("docs"))
    tap.run([the_manual_page_has_the_keys_of_manifests, files_of_computation_create_are_manifests,
             the_page_has_the_keys_of_our_policies, the_page_has_the_keys_of_older_policies,
             each_key_of_a_tee_has_its_option, the_page_has_the_keys_of_image_json])
