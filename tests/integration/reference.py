# SPDX-License-Identifier: Apache-2.0
"""What the documents say of commands and options is what the programs have.

With --write the options in cocos-cli(1) are made anew from the program's help, and the lists of
settings (settings_reference.py)."""
import collections
import functools
import os
import re
import subprocess
import sys

import settings_reference
import tap
from harness import ROOT, cli, program


def text_of(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


def plain(man):
    """A manual page without its requests and escapes."""
    text = re.sub(r"\\f.|\\&", "", man).replace("\\-", "-")
    return re.sub(r'["\s]+', " ", re.sub(r"^\.[A-Z]+ ?", "", text, flags=re.M))


@functools.cache
def commands():
    """The names in 'cocos-cli --help-all': as many words as a command has."""
    listed = cli("--help-all").ok().split("Commands:\n")[1].split("\n\n")[0]
    names = []
    for line in listed.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            words = re.match(r"(?: [a-z-]+)+", line[1:])[0].split()[:3]
            while cli(*words, "--help").out.splitlines()[0].split(" - ")[0] != \
                    " ".join(["cocos-cli", *words]):
                words.pop()
            names.append(" ".join(words))
    return names


@functools.cache
def options_of(name):
    """The rows of a command's help: ("-a, --algorithm TYPE", "what it is …")."""
    rows = []
    for line in cli(*name.split(), "--help-all").ok().split("\nOptions:\n")[1].splitlines():
        if line.startswith("   "):
            rows[-1] = (rows[-1][0], line.strip())
        else:
            left, _, right = line.strip().partition("  ")
            rows.append((left, right.strip()))
    return rows[:-4]  # --color, --verbose, --help and --help-all, which all have


BEGIN = '.\\" From here on made by tests/integration/reference.py --write.\n'
END = '.\\" Up to here.\n'
SHARED = 5  # commands that have an option make it one that is explained once


def roff(text):
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


def row_in_roff(row):
    return ".TP\n.B " + roff(row[0]) + "\n" + roff(row[1]) + "\n"


def options_in_roff():
    """Every command with its options; what many have is explained at the end."""
    table = {name: options_of(name) for name in commands()}
    count = collections.Counter(row for rows in table.values() for row in rows)
    shared = [row for row in count if count[row] >= SHARED]
    out = ".SH OPTIONS OF EACH COMMAND\n"
    for name, rows in table.items():
        if not rows:
            continue
        out += ".SS " + roff(name) + "\n"
        out += "".join(row_in_roff(row) for row in rows if row not in shared)
        names = [re.search(r"--[\w-]+", row[0])[0] for row in rows if row in shared]
        if names:
            out += ".PP\nShared: " + roff(", ".join(names)) + ".\n"
    return out + ".SS Shared options\n" + "".join(row_in_roff(row) for row in shared)


def write_options():
    path = os.path.join(ROOT, "packaging", "man", "cocos-cli.1")
    head, _, rest = text_of("packaging", "man", "cocos-cli.1").partition(BEGIN)
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + BEGIN + options_in_roff() + END + rest.partition(END)[2])


def the_manual_of_the_cli_has_every_option():
    page = text_of("packaging", "man", "cocos-cli.1")
    assert BEGIN + options_in_roff() + END in page, "run tests/integration/reference.py --write"


def the_manuals_of_the_daemons_have_every_option():
    for name in ("cocos-agent", "cocos-manager", "cocos-computations"):
        page = plain(text_of("packaging", "man", name + ".8"))
        text = subprocess.run([program(name), "--help"], capture_output=True, text=True,
                              check=True).stdout
        options = set(re.findall(r"--[a-z]+", text))
        assert len(options) >= 3, text
        assert not [o for o in options if o not in page], (name, options)


def the_manual_of_the_manager_names_every_call():
    page = plain(text_of("packaging", "man", "cocos-manager.8"))
    calls = re.findall(r"^  rpc (\w+)\(", text_of("proto", "manager.proto"), flags=re.M)
    assert "CreateVm" in calls and len(calls) >= 18, calls
    missing = [call for call in calls if not re.search(rf"\b{call}\b", page)]
    assert not missing, missing


def the_manual_of_the_cli_names_every_command():
    page = plain(text_of("packaging", "man", "cocos-cli.1"))
    names = commands()
    assert "keys" in names and "computation create" in names, names
    missing = [name for name in names if name not in page]
    assert not missing, missing


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


LITERALS = r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*'


def words_of(source):
    """Each text in a source, its parts put together."""
    source = re.sub(r"^#include.*$", "", source, flags=re.M)
    return ["".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', text)).replace("\\n", " ").replace('\\"', '"')
            for text in re.findall(LITERALS, source)]


def sources():
    for folder in ("cli", "common", "attestation", "agent", "manager", "computations"):
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


class Known:
    """What there is: of each command its options."""

    def __init__(self):
        self.options = {name: {option for row in options_of(name) for option in re.findall(r"(?<![\w-])--?[\w-]+", row[0])} |
                        {"--help", "--help-all", "--verbose"} for name in commands()}
        self.first = {name.split()[0] for name in self.options}

    def named(self, phrase):
        """The command that it begins with, and the options behind it; None: a group of commands."""
        said = re.match(r"(?:[a-z-]+(?: [a-z-]+)*)?", phrase)[0].split()
        name = next((n for k in (3, 2, 1) if (n := " ".join(said[:k])) in self.options), None)
        assert name or len(said) == 1 and said[0] in self.first, f"there is no such command: {phrase}"
        return name, re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", phrase)

    def check(self, phrase):
        if phrase.startswith(("%", "-", "COMMAND")):
            return
        name, options = self.named(phrase)
        wrong = set(options) - self.options.get(name, set())
        assert not wrong, f"'{name}' has no {wrong}: {phrase}"


def what_messages_advise_is_there():
    """Commands that are named in quotes, and options of hints: those of the command that hints, where it is one's own."""
    known, count = Known(), 0
    known.check("computation run ID --cvm ID")
    for wrong in ("computation walk ID", "computation run --now", "walk"):
        try:
            known.check(wrong)
        except AssertionError:
            continue
        raise RuntimeError(wrong)
    for path in sources():
        source = text_of(path)
        for text in words_of(source):
            phrases = re.findall(r"'cocos-cli ([^']+)'", text)
            if path.startswith("cli/"):
                phrases += [p for p in re.findall(r"(?<!\w)'([a-z-]+ [a-z-]+(?: [^']*)?)'", text)
                            if p.split()[0] in known.first]
            for phrase in phrases:
                try:
                    known.check(phrase)
                except AssertionError as e:
                    raise AssertionError(f"{path}: {e}") from None
            count += len(phrases)
        own = [name for name in re.findall(r'\.name = "([^"]+)",', source) if name in known.options] or known.options
        for hint in re.findall(r"cli_hint\((.*?)\);\n", source, re.S):
            for option in re.findall(r"(?<![\w'=-])--[a-z][\w-]*", re.sub(r"'[^']*'", "", " ".join(words_of(hint)))):
                assert any(option in known.options[name] for name in own), f"{path}: no command has {option}: {hint}"
                count += 1
    assert count > 150, count


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_options()
        settings_reference.write()
        sys.exit()
    tap.run([the_manual_of_the_cli_names_every_command, the_manual_of_the_cli_has_every_option,
             the_manuals_of_the_daemons_have_every_option, the_manual_of_the_manager_names_every_call,
             manual_pages_are_well_formed,
             the_owners_page_runs_commands_that_exist, what_messages_advise_is_there])
