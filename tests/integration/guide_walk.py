# SPDX-License-Identifier: Apache-2.0
"""The guide of the COVID-19 training, walked from the first start to the results: three hospitals and an administrator with
a real browser, the service, a manager with a real virtual machine under emulation, and the guide's own commands.

Every screen is kept as a picture (build/screens/guide-*.png). The files are small and the training counts them: with a
virtual machine that is emulated the real one would take hours; everything else is as in the guide.

Arguments: the project's folder, a folder for the image.
"""
import contextlib
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zipfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import libvirt_room as room  # noqa: E402
import tap  # noqa: E402
from browser import Browser, Navigated  # noqa: E402
from guest_vm import PATIENCE, build_image  # noqa: E402
from harness import Folder, Process, program  # noqa: E402
from ports import free_port  # noqa: E402

PROJECT, IMAGES = sys.argv[1:3]
PASSWORD = "lamp river copper"
HOSPITALS = ("h1", "h2", "h3")
WIDTH = 1280

TRAIN = '''import json, pathlib
counts = {}
for hospital in sorted(pathlib.Path("datasets").iterdir()):
    for picture in sorted(hospital.rglob("*.png")):
        kind = picture.parent.name
        counts[kind] = counts.get(kind, 0) + 1
print("trained on", sum(counts.values()), "pictures", flush=True)
results = pathlib.Path("results")
results.mkdir(exist_ok=True)
(results / "model.json").write_text(json.dumps(counts, sort_keys=True))
'''


def until(condition, what, end=None):
    end = end or time.monotonic() + 3 * PATIENCE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{what} never happens"
        time.sleep(0.2)


class Service:
    """cocos-computations on a terminal, as somebody starts it for the first time."""

    def __init__(self, folder, **settings):
        self.folder, self.text, self.changed = folder, "", threading.Condition()
        self.socket = folder("admin.sock")
        settings = {"GRPC_PORT": str(free_port()), "ADMIN_SOCKET": self.socket, "STATE_DIR": folder("state-c"),
                    "WEB": "127.0.0.1:0", **settings}
        config = folder.write("computations.conf", "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in settings.items()))
        self.port = int(settings["GRPC_PORT"])
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([program("cocos-computations"), "--config", config], stdin=subprocess.DEVNULL,
                                        stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with contextlib.suppress(OSError):
            while piece := os.read(self.master, 65536):
                with self.changed:
                    self.text += piece.decode(errors="replace")

    def first_link(self):
        return until(lambda: re.search(r"http://localhost:(\d+)(/password/[0-9a-f]{64})\r?\n", self.text), "the first link")

    def end(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        os.close(self.master)
        assert status == 0, self.text[-4000:]


class Person:
    """Somebody with a tab of his own browser, and a folder."""

    def __init__(self, walk, name):
        self.walk, self.name, self.base = walk, name, walk.base
        self.page = walk.stack.enter_context(Browser()).page()
        self.page.size(WIDTH)
        self.folder = walk.folder(name)
        os.mkdir(self.folder)
        self.environment = {"PATH": os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"], "HOME": self.folder,
                            "LC_ALL": "C.UTF-8", "COMPUTATIONS_GRPC_URL": "unix:" + walk.service.socket}

    def go(self, path):
        self.page.go(self.base + path)
        return self

    def looks(self, picture):
        """A picture for people, and nothing that the browser complains about."""
        self.page.settle()
        self.walk.pictures += 1
        self.page.picture(f"guide-{self.walk.pictures:02}-{picture}")
        complaints = self.page.complaints()
        assert not complaints, (picture, complaints)
        wide = self.page.run("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{picture}: {wide} pixels too wide"
        return self

    def words(self):
        return self.page.run("document.querySelector('main').innerText")

    def reads(self, words, what=None):
        try:
            self.page.until(f"document.querySelector('main')?.innerText.includes({json.dumps(words)})", what or words)
        except AssertionError as error:
            raise AssertionError(f"{error}; at {self.at()}: {self.words()}") from None
        return self

    def stands(self, state):
        """The page, which nobody loads again, shows that state."""
        self.page.until(f"document.querySelector('#status .state')?.innerText.trim() === {json.dumps(state)}", state)
        return self

    def has(self, **fields):
        """Fills in what has these names, as typing does."""
        for name, value in fields.items():
            self.page.run("""(([name, value]) => {
                const field = document.querySelector(`main form [name="${name}"]:not([type=hidden])`);
                if (field.type === "checkbox") { if (field.checked !== value) field.click(); }
                else { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); }
                if (field.type !== "checkbox" && field.value !== value) throw new Error(name);
            })(%s)""" % json.dumps([name, value]))
        return self

    def presses(self, words):
        """The button or link of those words; the next page is there when this returns."""
        self.page.run("window.isBefore = true")
        with contextlib.suppress(Navigated):
            self.page.run("""((words) => {
                const found = [...document.querySelectorAll("main button, main a")].find((e) => e.innerText.trim().startsWith(words));
                if (!found) throw new Error("no button " + words);
                found.click();
            })(%s)""" % json.dumps(words))
        self.page.until("!window.isBefore && document.readyState === 'complete'", "the page behind " + words)
        self.page.settle()
        self.base = self.page.run("location.origin")  # a session has a host name of its own
        complaints = self.page.complaints()
        assert not complaints, (words, complaints, self.at(), self.words())
        return self

    def gives(self, name, path):
        """A file to the field that computes its digest."""
        document = self.page("DOM.getDocument")["root"]["nodeId"]
        node = self.page("DOM.querySelector", nodeId=document, selector="#f-file")["nodeId"]
        self.page("DOM.setFileInputFiles", nodeId=node, files=[path])
        self.page.until("document.getElementById('f-digest').value.length === 64", "the digest of " + name)
        return self

    def at(self):
        return urllib.parse.urlsplit(self.page.run("location.href")).path

    def types(self, *arguments, status=0):
        done = subprocess.run(["cocos-cli", *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=3 * PATIENCE, check=False)
        print(f"# {self.name}$ cocos-cli {' '.join(arguments)}")
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def writes(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def makes_token(self):
        """At the page, for the command line."""
        self.go("/me/token").has(name="laptop", password=PASSWORD)
        self.presses("Make it")
        token = re.search(r"cocos_[0-9a-f]{64}", self.words())[0]
        path = self.writes("token", token.encode() + b"\n")
        os.chmod(path, 0o600)
        self.environment["COMPUTATIONS_GRPC_TOKEN_FILE"] = path

    def makes_keys(self):
        self.types("keys", "-k", "ecdsa")
        self.types("key", "register", "private.pem")


class Walk:
    def __init__(self, stack):
        self.stack, self.pictures = stack, 0
        self.folder = stack.enter_context(Folder())
        os.chmod(self.folder.path, 0o711)  # for QEMU's user
        self.image = build_image(PROJECT, "python", IMAGES)
        self.secrets = tempfile.mkdtemp(prefix="cocos-guide.", dir="/dev/shm")
        stack.callback(shutil.rmtree, self.secrets, ignore_errors=True)
        os.chmod(self.secrets, 0o711)
        shutil.copytree(self.image, self.folder("image"))

    def starts(self):
        config = self.folder.write("manager.conf", "".join(f"MANAGER_{k}={v}\n" for k, v in {
            "SOCKET": self.folder("manager.sock"), "IMAGE_DIR": self.folder("image"), "STATE_DIR": self.folder("state-m"),
            "SECRETS_DIR": self.secrets, "TEE": "none", "PORTS": "20000-29999", "MAX_CPUS": "2",
            "MAX_MEMORY": "2G"}.items()))
        self.manager = Process([program("cocos-manager"), "--config", config])
        self.stack.callback(self.manager.finish)
        self.manager.wait_line("listening on unix:")
        port = free_port()
        table = self.folder.write("managers", f"manager here unix:{self.folder('manager.sock')} agents=10.0.2.2:{port}\n"
                                              "limit * cvms=1 cpus=8 memory=8G\n")
        os.chmod(table, 0o600)
        self.service = Service(self.folder, MANAGERS=table, GRPC_PORT=port)
        self.stack.callback(self.service.end)
        found = self.service.first_link()
        self.base = f"http://localhost:{found[1]}"
        return found[2]


def zip_of(count, hospital):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for kind in ("COVID", "Normal", "Viral Pneumonia"):
            for number in range(count):
                archive.writestr(f"{kind}/{hospital}-{number}.png", f"{hospital} {kind} {number}")
    return out.getvalue()


def comes_first(walk, link):
    anna = Person(walk, "anna")
    anna.go(link).looks("first-link").has(name="anna", password=PASSWORD, again=PASSWORD)
    anna.presses("Become the administrator").looks("empty")
    anna.go("/me").reads("anna")
    anna.go("/w/default/members").looks("members")
    return anna


def is_invited(walk, anna, name):
    anna.go("/w/default/members").has(note=f"hospital {name}").presses("Make a link")
    if name == HOSPITALS[0]:
        anna.looks("invitation")
    link = anna.page.run(r"document.querySelector('main').innerText.match(/\/invite\/[0-9a-f]{64}/)[0]")
    person = Person(walk, name)
    person.go(link)
    if name == HOSPITALS[0]:
        person.looks("invited")
    person.has(name=name, password=PASSWORD, again=PASSWORD).presses("Make an account")
    person.go("/me").reads(name)
    return person


def registers(person, name, data, kind):
    path = person.writes(name, data)
    person.go("/w/default/assets").has(name=name, type=kind, description=f"of {person.name}").gives(name, path)
    if name in ("h1.zip", "train.py"):
        person.looks("asset-" + kind)
    person.presses("Register it").reads(name)


def the_guide_from_the_first_start_to_the_results():
    with contextlib.ExitStack() as stack:
        walk = Walk(stack)
        anna = comes_first(walk, walk.starts())

        # 1, 2: who takes part, with which keys and assets
        hospitals = [is_invited(walk, anna, name) for name in HOSPITALS]
        for person in (anna, *hospitals):
            person.makes_token()
            person.makes_keys()
        hospitals[0].go("/me").looks("you")
        hospitals[0].go("/me/keys").looks("keys")
        for number, person in enumerate(hospitals):
            registers(person, person.name + ".zip", zip_of(number + 1, person.name), "dataset")
        registers(anna, "train.py", TRAIN.encode(), "algorithm")
        anna.writes("requirements.txt", b"")
        anna.go("/w/default/assets").looks("assets")

        # 2: the computation, its roles
        fields = {"name": "COVID-19 training", "description": "Pictures of three hospitals", "type": "python",
                  "algorithm": "train.py", "provider": "anna", "consumers": "h1", "security": "none"}
        for number, name in enumerate(HOSPITALS, 1):
            fields.update({f"d{number}_name": name + ".zip", f"d{number}_file": name + ".zip", f"d{number}_user": name,
                           f"d{number}_unpack": True})
        anna.go("/new").looks("new").has(**fields).looks("new-filled").presses("Create it")
        computation = anna.at().split("/")[2]
        anna.go("/c/" + computation).looks("created")
        anna.go(f"/c/{computation}/roles").looks("roles").has(role="viewer", user="h3").presses("Give the role")
        anna.go(f"/c/{computation}/manifest").looks("manifest")

        # 3: the CVM
        anna.go("/w/default/new-cvm").has(name="covid", cpus="1", memory="2").looks("new-cvm").presses("Have it made")
        anna.go("/w/default/cvms").looks("cvms")

        def is_ready():
            return "Ready" in anna.go("/w/default/cvms/covid").words()
        until(is_ready, "the CVM's agent")
        anna.looks("cvm")
        url = re.search(r"AGENT_GRPC_URL=([0-9.]+:[0-9]+)", anna.words())[1]
        anna.go("/w/default/cvms/covid/console")
        anna.page.until("document.getElementById('console').textContent.length > 20", "the console")
        anna.looks("console")

        # 4: the run; the page follows by itself from here on
        anna.go(f"/c/{computation}/run").looks("ask-run").presses("Run")
        assert anna.at() == "/c/" + computation, anna.at()
        live = hospitals[2].go("/c/" + computation)
        live.stands("Waiting for Algorithm").looks("waiting-for-algorithm")
        for person in (anna, *hospitals):
            person.environment["AGENT_GRPC_URL"] = url
        until(lambda: subprocess.run(["cocos-cli", "status"], cwd=anna.folder, env=anna.environment, capture_output=True,
                                     check=False).returncode == 0, "the agent's listener")

        # 5: uploads, by the guide's own commands
        anna.types("algo", "train.py", "./private.pem", "-a", "python", "-r", "requirements.txt")
        live.stands("Waiting for Datasets").looks("waiting-for-datasets")
        for person in hospitals:
            person.types("data", person.name + ".zip", "./private.pem")

        # 6, 7: the end, and the results, once
        live.stands("Completed").looks("completed")
        hospitals[0].types("result", "./private.pem")
        with zipfile.ZipFile(os.path.join(hospitals[0].folder, "results.zip")) as archive:
            found = next(name for name in archive.namelist() if name.endswith("model.json"))
            assert json.loads(archive.read(found)) == {"COVID": 6, "Normal": 6, "Viral Pneumonia": 6}
        again = hospitals[0].types("result", "./private.pem", status=1)
        print("# the second time: " + again.strip().replace("\n", "\n# "))
        live.reads("Complete Completed").looks("consumed")
        hospitals[0].go("/c/" + computation).looks("end")
        anna.go(f"/c/{computation}/evidence").looks("evidence")
        anna.go("/w/default/usage").looks("usage")
        anna.go("/audit").looks("audit")
        anna.go("/w/default/cvms/covid/remove").looks("ask-remove")
        if anna.page.run("!!document.getElementById('f-force')"):  # its computation is still in it
            anna.has(force=True)
        anna.presses("Remove")
        until(lambda: "Removed" in anna.go("/w/default/cvms/covid").words(), "the end of the CVM")


if __name__ == "__main__":
    room.enter()
    libvirt = room.Libvirt().up()
    try:
        tap.run([the_guide_from_the_first_start_to_the_results])
    finally:
        libvirt.down()
