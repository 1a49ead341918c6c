# SPDX-License-Identifier: Apache-2.0
"""Every command block of the owners' and the operators' page, typed as it is written, one page in one shell.

A page's block is run, or the comment above it in the page's source says why it can't be here: '<!-- not run by
tests: WHY -->'. Then its commands and options have to be there at least. Between the blocks the test plays what
other people do meanwhile. A network of its own has the addresses of the pages; it lasts seconds.
"""
import collections
import contextlib
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

import tap
from harness import BUILD, PATIENCE, ROOT, Computations, Folder, cli, read, until
from job_host import Agent

IRIS = os.path.join(ROOT, "examples", "iris")
FENCE = re.compile(r"(?:^<!-- not run by tests: ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)
Block = collections.namedtuple("Block", "line why text")


def blocks(page):
    """Those with commands: a fence that names a language is a file, or a program's text."""
    text = read(os.path.join(ROOT, "docs", page)).decode()
    stray = re.search(r"^    (cocos-|scripts/|apt |systemctl |meson |openssl |export ).*", text, re.M)
    assert not stray, f"{page}: commands stand between fences: {stray[0]}"
    found = [Block(text[:m.start()].count("\n") + 1, m[1], m[3]) for m in FENCE.finditer(text) if not m[2]]
    assert 2 * len(FENCE.findall(text)) == len(re.findall("^```", text, re.M)), f"{page}: a fence that is not seen"
    return found


class Shell:
    """One bash that goes on from block to block; a command that fails ends its block."""

    def __init__(self, folder, **environment):
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={"LC_ALL": "C.UTF-8", "HOME": folder, **environment})

    def run(self, text):
        """What the block printed; it has to end well."""
        commands = "\n".join(line for line in text.splitlines() if not self.is_answer(line))
        self.process.stdin.write(f"set -e; {{ :\n{commands}\n}} </dev/null\nset +e; echo; echo end-of-block\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "end-of-block\n":
                return "".join(lines)
            lines.append(line)
        raise AssertionError("".join(lines))

    @staticmethod
    def is_answer(line):
        """A digest below a command is what it has to print."""
        return re.fullmatch("[0-9a-f]{64}", line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)


def options_are_there(block):
    """Of a block that is not run: each cocos-cli command has the options that it is given."""
    text = block.text.replace("\\\n", " ")
    for words in re.findall(r"(?:^|&& )cocos-cli ([^#|\n]*)", text, re.M):
        words = words.split()
        names = [word for word in words if re.fullmatch("[a-z-]+", word) and not word.startswith("-")]
        shown = next((s for n in (3, 2, 1) if (s := cli(*names[:n], "--help-all")).status == 0 and
                      s.out.startswith("cocos-cli " + " ".join(names[:n]) + " - ")), None)
        assert shown, (block.line, words)
        for option in (word.split("=")[0] for word in words if word.startswith("-")):
            assert re.search(rf"^  (-\w, )?{option}\b|^  {option}, ", shown.out, re.M), (block.line, words, option)


def forward(address, port, to):
    """A manager's forwarded port."""
    listener = socket.create_server((address, port))

    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", to))
                except ConnectionError:  # nobody listens there yet
                    here.close()
                    continue
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return listener


class World:
    """The owner's folder, the other parties, the service and an agent at the page's address."""

    def __init__(self, stack):
        self.folder = stack.enter_context(Folder())
        self.service = stack.enter_context(Computations(stack.enter_context(Folder())))
        self.agent = stack.enter_context(Agent(stack.enter_context(Folder()), self.service))
        stack.enter_context(forward("192.0.2.7", 6100, 7002))
        self.where = {"COMPUTATIONS_GRPC_URL": "unix:" + self.service.socket}
        for name in ("iris.py", "iris.csv"):
            shutil.copy(os.path.join(IRIS, name), self.folder(name))
        for party in ("algorithm", "data", "consumer"):
            os.mkdir(self.folder(party))
            if party != "data":
                cli("keys", "-k", "ecdsa", cwd=self.folder(party)).ok()
        self.folder.write("policy.json", json.dumps({"cocos": 1, "snp": {"measurements": ["5a" * 48]}}))
        until(lambda: cli("cvm", "list", "--json", **self.where).json(), "the agent")
        self.shell = Shell(self.folder.path, PATH=f"{BUILD}:{os.environ['PATH']}", **self.where)
        stack.callback(self.shell.end)

    def create(self):
        return cli("computation", "create", "--name", "sent", "--algorithm", "iris.py", "--algorithm-type", "python",
                   "--algorithm-key", "algorithm/public.pem", "--dataset", "iris.csv", "--dataset-key",
                   "data/public.pem", "--consumer-key", "consumer/public.pem", cwd=self.folder.path,
                   **self.where).ok().strip()

    # What others do before a block, by how it begins.

    def hands_over_the_public_key(self):
        shutil.copy(self.folder("public.pem"), self.folder("data", "public.pem"))

    def somebody_sends_the_manifest(self):
        self.hands_over_the_public_key()
        self.folder.write("manifest.json", cli("computation", "manifest", self.create(), **self.where).ok())

    def the_service_runs_it(self):
        cli("profile", "use", "--none", HOME=self.folder.path).ok()
        cli("computation", "run", self.created, **self.where).ok()
        until(lambda: cli("status", AGENT_GRPC_URL="192.0.2.7:6100").status == 0, "the agent's listener")

    def the_algorithm_comes(self):
        cli("algo", self.folder("iris.py"), "private.pem", "-a", "python", cwd=self.folder("algorithm"),
            AGENT_GRPC_URL="192.0.2.7:6100").ok()

    BEFORE = {"cocos-cli manifest show": somebody_sends_the_manifest, "export AGENT_GRPC_URL": the_service_runs_it,
              "cocos-cli data": the_algorithm_comes}

    # What a block has to have done.

    def is_the_digest(self, said):
        assert said.split() == [line for line in self.block.text.split() if Shell.is_answer(line)], said

    def is_kept(self, said):
        assert re.search("accepted|kept", said), said

    def has_an_id(self, said):
        self.created = said.split()[0]
        assert cli("computation", "show", self.created, **self.where).ok()

    def is_shown(self, said):
        assert "this is you" in said, said

    def is_well(self, said):
        assert "doctor: 0 of" in said, said

    def waits(self, said):
        assert "state" in said and "iris.csv" in said, said

    AFTER = {"cocos-cli checksum": is_the_digest, "cocos-cli computation create": has_an_id,
             "cocos-cli manifest show": is_shown, "cocos-cli doctor": is_well, "export AGENT_GRPC_URL": waits,
             "cocos-cli data": is_kept}

    def type(self, block):
        self.block = block
        for begins, what in self.BEFORE.items():
            if block.text.startswith(begins):
                what(self)
        said = self.shell.run(block.text)
        for begins, what in self.AFTER.items():
            if block.text.startswith(begins):
                what(self, said)


def told(page, ran, left):
    print(f"# docs/{page}: {ran} blocks ran as written, {len(left)} can't run here:")
    for block in left:
        print(f"#   line {block.line}: {block.why}")


def an_owner_types_the_owners_page():
    page = blocks("owners.md")
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for block in page:
            if block.why:
                options_are_there(block)
            else:
                world.type(block)
        left = [block for block in page if block.why]
        told("owners.md", len(page) - len(left), left)
        assert len(page) - len(left) >= 9, "most of the page is to be run"


def an_operator_finds_each_command_of_the_operators_page():
    page = blocks("operators.md")
    for block in page:
        assert block.why, f"line {block.line}: nobody here plays a host; say why it is not run"
        options_are_there(block)
    told("operators.md", 0, page)


def anchors(path):
    """Of a page's headings, as GitHub makes them: the second one of a name has -1 behind it."""
    text = re.sub(r"^```.*?^```$", "", read(path).decode(), flags=re.M | re.S)
    seen = collections.Counter()
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        word = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        yield f"{word}-{seen[word]}" if seen[word] else word
        seen[word] += 1


def each_link_of_each_page_leads_somewhere():
    pages = [path for form in ("*.md", "docs/*.md", "examples/**/*.md")
             for path in glob.glob(os.path.join(ROOT, form), recursive=True)]
    assert len(pages) > 25, pages
    for page in pages:
        text = re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", read(page).decode(), flags=re.M | re.S))
        for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text):
            name, _, anchor = link.partition("#")
            target = os.path.join(os.path.dirname(page), name) if name else page
            assert os.path.exists(target), (page, link)
            assert not anchor or anchor in anchors(target), (page, link)


if __name__ == "__main__":
    if os.environ.get("DOCS_COMMANDS_INSIDE") != "1":
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", "ip link set lo up && ip addr add 192.0.2.7/32 dev lo && "
                              'DOCS_COMMANDS_INSIDE=1 exec "$@"', "sh", sys.executable, *sys.argv])
    tap.run([an_owner_types_the_owners_page, an_operator_finds_each_command_of_the_operators_page,
             each_link_of_each_page_leads_somewhere])
