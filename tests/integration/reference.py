# SPDX-License-Identifier: Apache-2.0
"""What the documents say of commands, options and settings is what the programs have."""
import os
import re
import subprocess

import tap
from harness import ROOT, cli, program


def text_of(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


def plain(man):
    """A manual page without its requests and escapes."""
    text = re.sub(r"\\f.|\\&", "", man).replace("\\-", "-")
    return re.sub(r'["\s]+', " ", re.sub(r"^\.[A-Z]+ ?", "", text, flags=re.M))


def commands():
    """The names in 'cocos-cli help': one word, or two where that is a command."""
    listed = cli("help").ok().split("Commands:\n")[1].split("\n\n")[0]
    names = []
    for line in listed.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            words = line.split()[:2]
            names.append(words[0] if cli("help", *words).status else " ".join(words))
    return names


def the_manual_of_the_cli_names_every_command():
    page = plain(text_of("packaging", "man", "cocos-cli.1"))
    names = commands()
    assert "keys" in names and "computation create" in names, names
    missing = [name for name in names if name not in page]
    assert not missing, missing


def the_manual_of_the_service_names_every_setting():
    page = plain(text_of("packaging", "man", "cocos-computations.8"))
    table = subprocess.run([program("cocos-computations"), "--settings"], capture_output=True,
                           text=True, check=True).stdout
    names = re.findall(r"COMPUTATIONS_[A-Z_]+", table)
    assert len(set(names)) >= 15, table
    missing = [name for name in names if name not in page]
    assert not missing, missing
    strangers = [name for name in re.findall(r"COMPUTATIONS_[A-Z_]*[A-Z]", page)
                 if name not in names and not name.startswith("COMPUTATIONS_GRPC_URL")]
    assert not strangers, strangers


def manual_pages_are_well_formed():
    folder = os.path.join(ROOT, "packaging", "man")
    pages = [name for name in os.listdir(folder) if name[-1].isdigit()]
    assert pages
    for name in pages:
        text = text_of("packaging", "man", name)
        assert text.count(".nf") == text.count(".fi"), name
        for number, line in enumerate(text.splitlines(), 1):
            assert not line.startswith("'"), f"{name}:{number}: a line that groff takes for a request"
            if line.startswith("."):
                assert re.match(r'^\.(\\"|TH|SH|SS|TP|PP|BR|IR|RB|RI|BI|IB|B|I|nf|fi|br|IP)\b|^\.\\"',
                                line), f"{name}:{number}: {line}"


def the_owners_page_runs_commands_that_exist():
    names = commands()
    for words in re.findall(r"cocos-cli ((?:[a-z-]+ ?){1,2})", text_of("docs", "owners.md")):
        first = words.split()[0]
        assert any(name.split()[0] == first for name in names) or first == "attestation", words


if __name__ == "__main__":
    tap.run([the_manual_of_the_cli_names_every_command,
             the_manual_of_the_service_names_every_setting, manual_pages_are_well_formed,
             the_owners_page_runs_commands_that_exist])
