# SPDX-License-Identifier: Apache-2.0
"""Completion in real shells: what is offered at every place of every command, and that TAB comes back."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import reference
import tap
from harness import Folder, cli, program

LIMIT = 120  # seconds until a shell that says nothing is taken for frozen


def ask(*words, **environment):
    """The program's own answer: None for files, else the words."""
    lines = cli("__complete", "--", *words, **environment).ok().splitlines()
    assert lines[0] in ("files", "words"), lines
    assert lines[0] == "words" or len(lines) == 1, lines
    return None if lines[0] == "files" else lines[1:]


def options(name):
    """The options of a command: (--name, whether it takes a value)."""
    for left, _ in reference.options_of(name):
        found = re.search(r"(--[\w-]+)( \S)?", left)
        yield found[1], bool(found[2])


def places():
    """Words before the cursor, at every place of every command."""
    for name in reference.commands():
        words = name.split()
        for i in range(len(words)):
            yield words[:i]
        yield words
        yield words + ["x"]
        yield words + ["x", "y", "z", "--"]
        for option, takes in options(name):
            yield words + [option]
            if takes:
                yield words + [option, "x"]


def every_command_and_option_is_offered_where_it_may_stand():
    for name in reference.commands():
        words = name.split()
        for i in range(len(words)):
            assert words[i] in ask(*words[:i], ""), name
            assert words[i] in ask(*words[:i], words[i][:2]), name
        offered = ask(*words, "--")
        wanted = {option for option, _ in options(name)} | {"--help", "--help-all", "--verbose", "--color"}
        assert wanted == set(offered), (name, wanted ^ set(offered))
        assert len(offered) == len(set(offered)), offered
        for option, takes in options(name):
            assert option in ask(*words, option[:4]), (name, option)
            if takes:
                values = ask(*words, option, "")
                joined = ask(*words, option + "=")
                assert joined == (values and [f"{option}={value}" for value in values]), (name, option)


def what_is_known_is_offered_and_nothing_else():
    assert ask("comple") == ["completion"]
    assert ask("completion", "") == ["bash", "zsh", "fish"]
    assert ask("completion", "bash", "") == []
    assert ask("keys", "-k", "e") == ask("keys", "--key-type", "e") == ["ecdsa", "ed25519"]
    assert ask("keys", "--key-type=e") == ["--key-type=ecdsa", "--key-type=ed25519"]
    assert "--key-type" not in ask("keys", "-k", "rsa", "--"), "it may stand there once"
    assert {"snp", "tdx"} <= set(ask("policy", "create", ""))
    assert ask("attestation", "get", "") == ["snp", "tdx", "vtpm", "snp-vtpm", "azure-token"], "what can be asked for"
    assert ask("help", "policy", "create", "s") == ["snp"]
    assert ask("checksum", "") is None and ask("checksum", "a", "") == []
    assert ask("checksum", "--", "-") is None, "behind -- there are only operands"
    assert ask("no-such-command", "") == []
    # Files where files are meant, and nowhere else.
    assert ask("data", "") is None and ask("data", "x", "") is None and ask("data", "x", "y", "") == []
    assert ask("computation", "show", "") == ask("data", "--grpc-url", "") == ask("data", "--grpc-timeout", "1") == []
    assert ask("data", "--attestation-policy", "") is None and ask("attestation", "validate", "") is None
    assert ask("data", "--keep", "") == ["retry", "algorithm"] and ask("vm", "list", "--state", "r") == ["running", "removing"]
    assert ask("vm", "list", "--tee", "") == ask("create-vm", "--tee", "") == ["snp", "tdx", "none"]
    assert ask("computation", "list", "--sort", "c") == ask("cvm", "list", "--sort", "c") == ["created", "changed"]
    assert ask("key", "list", "--sort", "-n") == ask("asset", "list", "--sort", "-n") == ["-name"]
    assert ask("workspace", "member", "list", "--sort", "r") == ["role"]
    assert ask("certificate", "renew", "") is None and ask("certificate", "renew", "a", "b", "c", "") is None
    assert ask("certificate", "issue", "") is None and ask("host", "add", "n", "u", "") == []
    # A list goes on behind its last comma.
    assert ask("webhook", "create", "--events", "cvm.l") == ["cvm.lost"]
    assert ask("webhook", "create", "--events", "cvm.lost,usage.l") == ["cvm.lost,usage.limit"]
    assert ask("webhook", "create", "--events=cvm.lost,usage.l") == ["--events=cvm.lost,usage.limit"]
    with Folder() as folder:
        home = {"XDG_CONFIG_HOME": folder("config")}
        assert ask("profile", "use", "", **home) == []
        for name in ("hospital", "bank"):
            cli("profile", "add", name, "--agent", "x:1", **home).ok()
        for words in (("profile", "use"), ("profile", "show"), ("profile", "remove"), ("status", "--profile")):
            assert ask(*words, "", **home) == ["bank", "hospital"], words
        assert ask("status", "--profile=h", **home) == ["--profile=hospital"]
        assert ask("profile", "add", "", **home) == []
    assert ask("__comp") == [], "for scripts alone"


AT_A_TIME = 100  # places for one shell, so that LIMIT is for few of them however many there are


def bash_answers(folder, script, lines):
    calls = folder.write("calls", "source " + script + "\ncompopt() { echo files; }\n" + "".join(
        "COMP_WORDS=(cocos-cli {0} ''); COMP_LINE=\"${{COMP_WORDS[*]}}\"; COMP_CWORD={1}; echo ':'; _cocos_cli {2}; "
        "for w in \"${{COMPREPLY[@]}}\"; do echo \"$w\"; done\n".format(
            " ".join(f"'{word}'" for word in words), len(words) + 1, program("cocos-cli"))
        for words in lines))
    done = subprocess.run(["bash", calls], capture_output=True, text=True, check=True,
                          cwd=folder.path, timeout=LIMIT)
    assert not done.stderr, done.stderr
    answers = done.stdout.split(":\n")[1:]
    assert len(answers) == len(lines), (len(answers), len(lines))
    return answers


def bash_offers_the_same():
    with Folder() as folder:
        script = folder.write("completion", cli("completion", "bash").ok())
        lines = list(places())
        answers = []
        for i in range(0, len(lines), AT_A_TIME):
            answers += bash_answers(folder, script, lines[i:i + AT_A_TIME])
        assert len(answers) == len(lines) > 500, len(answers)
        for words, answer in list(zip(lines, answers))[::7]:
            wanted = ask(*words, "")
            assert answer.split() == (["files"] if wanted is None else wanted), (words, answer)


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, argv, folder):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", HOME=folder, LC_ALL="C.UTF-8",
                              PATH=os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"])
            os.execvp(argv[0], argv)
        self.seen = ""

    def type(self, text):
        data = text.encode()
        while data:  # what the shell says meanwhile is read, so that neither waits for the other
            readable, writable, _ = select.select([self.fd], [self.fd], [], LIMIT)
            assert readable or writable, "frozen: " + self.seen[-500:]
            if readable:
                self.take()
            if writable:
                data = data[os.write(self.fd, data[:256]):]

    def take(self):
        try:
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        except OSError as error:
            raise AssertionError("the shell has gone: " + self.seen[-500:]) from error

    def wait(self, text, after=0):
        end = time.monotonic() + LIMIT
        while text not in self.seen[after:]:
            assert time.monotonic() < end, f"no '{text}': " + self.seen[-800:]
            if select.select([self.fd], [], [], 1)[0]:
                self.take()
        return self.seen.index(text, after)

    def run(self, line, mark):
        """Until all that was typed is worked through, and the shell reads a new line: only then is
        the terminal in a state in which no key is swallowed on the way."""
        self.type(f"{line}; echo {mark}''-done\n")  # its echo is not its output
        self.wait("READY> ", self.wait(f"{mark}-done"))

    def close(self):
        os.close(self.fd)  # hangs up
        os.waitpid(self.pid, 0)


def tab_on_every_line(argv, setup, lines):
    with Folder() as folder:
        folder.write("iris.csv", "x")
        shell = Terminal(argv, folder.path)
        try:
            shell.run("PS1='RE''ADY> '; " + setup, "setup")
            for i in range(0, len(lines), AT_A_TIME):
                for words in lines[i:i + AT_A_TIME]:
                    shell.type(" ".join(["cocos-cli", *words]) + " \t\t\x15")  # ^U: away with the line
                shell.run("true", f"all{i}")
            shell.run("cocos-cli keys --key-type=ecd\t > key.out; cocos-cli checksum iri\t > sum.out; "
                      "cocos-cli data --grpc-url 127.0.0.1:1 iri\t iri\t 2> data.err", "last")
            # What ran, and not what was drawn: a shell that lags behind the typing draws less.
            assert os.path.exists(folder("public.pem")), shell.seen[-800:]
            about = subprocess.run(["openssl", "pkey", "-pubin", "-in", folder("public.pem"), "-noout", "-text"],
                                   capture_output=True, text=True, check=True).stdout
            assert "prime256v1" in about, about
            with open(folder("sum.out"), encoding="utf-8") as printed:
                assert printed.read() == cli("checksum", folder("iris.csv")).ok(), shell.seen[-800:]
            with open(folder("data.err"), encoding="utf-8") as told:  # which words end at a ':' is bash's own idea
                assert "iris.csv" in told.read(), shell.seen[-800:]
        finally:
            shell.close()


def every_line(step=None):
    """Behind each command; with a step also behind each so many of all places, options and their values among them."""
    return [name.split() for name in reference.commands()] + \
        [["policy"], ["policy", "create"], ["attestation"], ["keys", "-k"], []] + \
        (list(places())[::step] if step else [])


def bash_comes_back_from_a_tab_on_every_line():
    tab_on_every_line(["bash", "--norc", "--noprofile", "-i"],
                      "bind 'set page-completions off'; bind 'set completion-query-items 0'; "
                      "source <(cocos-cli completion bash)", every_line(23))


def zsh_comes_back_from_a_tab_on_every_line():
    tab_on_every_line(["zsh", "-f", "-i"],
                      "unsetopt zle_bracketed_paste 2>/dev/null; LISTMAX=10000; autoload -U compinit; "
                      "compinit -D -u; source <(cocos-cli completion zsh)", every_line(61))


def fish_answers(folder, lines):
    """What TAB offers, as fish tells it to scripts."""
    calls = folder.write("calls", "cocos-cli completion fish | source\n" + "".join(
        f"echo :; complete -C '{' '.join(['cocos-cli', *words])}'\n" for words in lines))
    done = subprocess.run(
        ["fish", "--no-config", calls], capture_output=True, text=True, check=True, cwd=folder.path, timeout=LIMIT,
        env={**os.environ, "HOME": folder.path, "XDG_CONFIG_HOME": folder.path,
             "PATH": os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"]})
    answers = [[row.split("\t")[0] for row in answer.splitlines()] for answer in done.stdout.split(":\n")[1:]]
    assert len(answers) == len(lines), (len(answers), len(lines))
    return answers


def fish_offers_the_same():
    with Folder() as folder:
        folder.write("iris.csv", "x")
        wanted = ((["keys", "-k", "e"], ["ecdsa", "ed25519"]), (["checksum", "ir"], ["iris.csv"]),
                  (["completion", "bash", ""], []))
        assert fish_answers(folder, [words for words, _ in wanted]) == [answer for _, answer in wanted]
        lines, answers = [words + [""] for words in every_line() + list(places())[::31]], []
        for i in range(0, len(lines), AT_A_TIME):
            answers += fish_answers(folder, lines[i:i + AT_A_TIME])
        for words, answer in list(zip(lines, answers))[::3]:
            wanted = ask(*words)
            assert "iris.csv" in answer if wanted is None else set(answer) == set(wanted), (words, answer, wanted)


if __name__ == "__main__":
    for shell_name in ("bash", "zsh", "fish"):
        assert shutil.which(shell_name), f"{shell_name} is not installed"
    tap.run([every_command_and_option_is_offered_where_it_may_stand,
             what_is_known_is_offered_and_nothing_else, bash_offers_the_same,
             bash_comes_back_from_a_tab_on_every_line, zsh_comes_back_from_a_tab_on_every_line,
             fish_offers_the_same])
