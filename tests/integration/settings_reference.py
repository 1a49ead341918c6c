# SPDX-License-Identifier: Apache-2.0
"""Settings stand in docs/ and in the manual pages as the programs have them, and no others do.

The daemons' tables come from what they say of themselves (--help; --settings where there is one; that
the kinds in docs/ are right is a unit test of each config). The command line's come from where its
sources read the environment. With --write the lists in the manual pages, the configuration files that
are installed, and what else a program can print, are made anew."""
import glob
import os
import re
import subprocess
import sys
import textwrap

import tap
from harness import ROOT, program

# Program: its page in docs/, its manual page.
PAGES = {
    "cocos-agent": ("agent.md", "cocos-agent.8"),
    "cocos-manager": ("operators.md", "cocos-manager.8"),
    "cocos-computations": ("operators.md", "cocos-computations.8"),
    "cocos-cli": ("owners.md", "cocos-cli.1"),
}
PREFIX = {"cocos-agent": ("AGENT_", "AWS_"), "cocos-manager": ("MANAGER_",),
          "cocos-computations": ("COMPUTATIONS_",)}
# Daemon: the file that it reads without being told, as it is installed.
CONFIGS = {"cocos-manager": "manager.conf", "cocos-computations": "computations.conf"}
HEAD = "| setting | kind | default | meaning |\n|---|---|---|---|\n"
CLI_HEAD = "| variable | default | meaning |\n|---|---|---|\n"
BEGIN = '.\\" Settings, made by tests/integration/settings_reference.py --write.\n'
END = '.\\" Up to here.\n'
OURS = re.compile(r"\b(?:AGENT|MANAGER|COMPUTATIONS|COCOS|AWS)_[A-Z0-9_]*[A-Z0-9]\b")
# What the environment of any program has, and nobody would look for here.
SYSTEM = {"HOME", "LANG", "PATH", "TERM", "TZ", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"}
# Of the tests, which docs/ speak of as well; and a row of the attack suite that tries a stranger.
TESTS = {"COCOS_TEST_LONG", "COCOS_SEED", "COCOS_KILLS", "COCOS_STOCK_SOURCE", "COCOS_H2SPEC", "COCOS_DCAP_QVL", "COCOS_SCHEMATHESIS",
         "AGENT_SKIP_ATTESTATION"}


def path_of(*names):
    return os.path.join(ROOT, *names)


def text_of(*names):
    with open(path_of(*names), encoding="utf-8") as file:
        return file.read()


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def help_rows(name):
    """The lines of settings in --help: ["  NAME    what it is (default)", …]."""
    rows = re.findall(r"^  [A-Z][A-Z0-9_]+ .*$", output(program(name), "--help"), flags=re.M)
    assert len(rows) >= 20, rows
    return rows


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table_below(head, text):
    start = text.index(head) + len(head)
    end = text.find("\n\n", start)
    return [cells(line) for line in text[start:end].splitlines()]


def rows_of(name):
    """(setting, default, meaning) as docs/ have them."""
    text = text_of("docs", PAGES[name][0])
    if name == "cocos-cli":
        found = [(row[0], row[1], row[2]) for row in table_below(CLI_HEAD, text)]
    else:
        at = text.index(HEAD + "| `" + PREFIX[name][0])
        found = [(row[0], row[2], row[3]) for row in table_below(HEAD, text[at:])]
    return [(setting.strip("`"), default.strip("`"), meaning) for setting, default, meaning in found]


def roff(text):
    return re.sub(r"^([.'])", r"\\&\1", text.replace("`", "").replace("\\", "\\e").replace("-", "\\-"))


def list_in_roff(name):
    out = BEGIN
    for setting, default, meaning in rows_of(name):
        shown = f" (default: {roff(default)})" if default else ""
        out += f".TP\n.B {setting}\n{roff(meaning)}{shown}\n"
    return out + END


def with_list(name):
    head, begin, rest = text_of("packaging", "man", PAGES[name][1]).partition(BEGIN)
    assert begin, f"{PAGES[name][1]} has no place for the list of settings"
    return head + list_in_roff(name) + rest.partition(END)[2]


def config_file(name):
    """Every setting of this daemon as a comment, with its default if it has one."""
    out = f"""# SPDX-License-Identifier: Apache-2.0
# The settings of {name}({PAGES[name][1][-1]}), one KEY=VALUE in a line. Without its '#' a line holds
# from the daemon's next start on; what stands behind it now is the default. The environment wins.
"""
    for setting, default, meaning in rows_of(name):
        text = textwrap.wrap(meaning.replace("`", ""), 100, initial_indent="# ", subsequent_indent="# ")
        out += "\n" + "\n".join(text) + f"\n#{setting}={default}\n"
    return out


def service_table():
    """What the computation service prints, in the place that docs/ have for it."""
    text, table = text_of("docs", "operators.md"), output(program("cocos-computations"), "--settings")
    start = text.index(HEAD + "| `COMPUTATIONS_")
    end = text.find("\n\n", start)
    return text[:start] + table.rstrip("\n") + (text[end:] if end > 0 else "\n")


def replace(text, *names):
    with open(path_of(*names), "w", encoding="utf-8") as file:
        file.write(text)


def write():
    replace(service_table(), "docs", "operators.md")
    for name, (_, page) in PAGES.items():
        replace(with_list(name), "packaging", "man", page)
    for name, file in CONFIGS.items():
        replace(config_file(name), "packaging", "config", file)


def sources(*folders):
    """{path: text} of all C files below these folders."""
    return {os.path.join(folder, name): text_of(folder, name) for folder in folders
            for name in sorted(glob.glob("**/*.[ch]", root_dir=path_of(folder), recursive=True))}


def cli_variables():
    """{variable: default, or None where the sources do not say one in one place}."""
    found, suffixes, peers = {}, {}, {}
    for path, text in sources("cli", "common", "attestation").items():
        found.update(dict.fromkeys(re.findall(r'\bgetenv\("(\w+)"\)|\bsecure_getenv\("(\w+)"\)', text)))
        found.update(dict.fromkeys(re.findall(r'\bsetting\(cli, "[^"]+",\s*"(\w+)"\)', text)))
        found.update(dict.fromkeys(re.findall(r'\bprofile_setting\([^;]*?,\s*NULL,\s*"(\w+)"\)', text)))
        if not path.startswith("cli"):
            continue
        peers.update(re.findall(r'\[CLIENT_\w+\]\s*=\s*\{\s*"(\w+)",\s*"([^"]+)"', text))
        for suffix in re.findall(r'client_setting\([^;]*?,\s*(?:NULL|"[^"]*"),\s*"(\w+)"\)', text):
            suffixes.setdefault(suffix, set()).add("peers[]" in text)
    names = {name for each in found for name in (each if isinstance(each, tuple) else [each]) if name}
    assert len(peers) == 3 and len(suffixes) >= 9 and len(names) >= 8, (peers, suffixes, names)
    # The daemons' own, in what they share with the command line.
    variables = dict.fromkeys(names - SYSTEM - {"JOURNAL_STREAM", "NOTIFY_SOCKET"})
    for suffix, places in suffixes.items():
        for peer, url in peers.items():
            if True in places or peer == "AGENT":
                variables[f"{peer}_GRPC_{suffix}"] = url if suffix == "URL" else None
    return variables


def the_documents_have_the_settings_of_each_daemon():
    for name in PREFIX:
        shown = [f"  {setting:<32} {meaning}" + (f" ({default})" if default else "")
                 for setting, default, meaning in rows_of(name)]
        assert shown == help_rows(name), set(shown) ^ set(help_rows(name))


def the_table_of_the_service_is_what_it_prints():
    assert text_of("docs", "operators.md") == service_table(), "settings_reference.py --write"


def the_documents_have_the_variables_of_the_command_line():
    wanted, rows = cli_variables(), rows_of("cocos-cli")
    assert sorted(setting for setting, *_ in rows) == sorted(wanted), \
        {setting for setting, *_ in rows} ^ set(wanted)
    for setting, default, _ in rows:
        assert wanted[setting] in (None, default), (setting, default, wanted[setting])
    said = dict((setting, default) for setting, default, _ in rows)
    text = "".join(sources("cli", "attestation").values())
    timeout = int(re.search(r"TIMEOUT_MS = (\d+)", text)[1])
    assert {said[f"{peer}_GRPC_TIMEOUT"] for peer in ("AGENT", "MANAGER", "COMPUTATIONS")} == \
        {f"{timeout // 1000}s"}, said
    for setting in ("COCOS_KDS_URL", "COCOS_PCS_URL"):
        assert f'"{said[setting]}"' in text, (setting, said[setting])


def the_manual_pages_have_the_lists_of_the_documents():
    for name, (_, page) in PAGES.items():
        assert text_of("packaging", "man", page) == with_list(name), \
            f"{page}: run tests/integration/settings_reference.py --write"


def the_configuration_files_have_every_setting():
    for name, file in CONFIGS.items():
        text = text_of("packaging", "config", file)
        assert text == config_file(name), f"{file}: run tests/integration/settings_reference.py --write"
        keys = re.findall(r"^#([A-Z_0-9]+)=", text, flags=re.M)
        assert keys == [row.split()[0] for row in help_rows(name)], keys


def no_document_speaks_of_a_setting_that_is_not_there():
    names = text_of("attestation", "library", "cocos", "attestation.h") + \
        text_of("attestation", "library", "exported.map") + \
        text_of("common", "base", "log.c")  # of the library, and the journal's fields, which look alike
    known = {setting for name in PAGES for setting, *_ in rows_of(name)} | TESTS | \
        set(OURS.findall(names))
    seen = 0
    pages = [("README.md",), ("CONTRIBUTING.md",), ("CHANGELOG.md",)]
    for folder in ("docs", "packaging/config", "packaging/man", "packaging/systemd", "examples"):
        pages += [(folder, name) for name in sorted(os.listdir(path_of(folder)))
                  if os.path.isfile(path_of(folder, name)) and not name.endswith(".c")]
    for page in pages:
        found = set(OURS.findall(text_of(*page)))
        seen += len(found)
        assert found <= known, f"{'/'.join(page)}: {found - known}"
    assert seen > 100, seen


def each_manual_page_speaks_of_its_own_program():
    for name, (_, page) in PAGES.items():
        own = {setting for setting, *_ in rows_of(name)}
        found = set(OURS.findall(text_of("packaging", "man", page)))
        assert found <= own, f"{page}: {found - own}"


def what_is_not_used_yet_says_so():
    rows = {setting: meaning for setting, _, meaning in rows_of("cocos-agent")}
    idle = [setting for setting in rows if setting.startswith("AWS_") or setting in
            ("AGENT_OS_BUILD", "AGENT_OS_DISTRO", "AGENT_OS_TYPE", "AGENT_MAA_URL")]
    assert len(idle) == 8, idle
    for setting in idle:
        assert rows[setting].endswith("accepted, not used yet"), (setting, rows[setting])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
        sys.exit()
    tap.run([the_documents_have_the_settings_of_each_daemon,
             the_table_of_the_service_is_what_it_prints,
             the_documents_have_the_variables_of_the_command_line,
             the_manual_pages_have_the_lists_of_the_documents,
             the_configuration_files_have_every_setting,
             no_document_speaks_of_a_setting_that_is_not_there,
             each_manual_page_speaks_of_its_own_program, what_is_not_used_yet_says_so])
