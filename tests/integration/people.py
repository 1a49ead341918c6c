# SPDX-License-Identifier: Apache-2.0
"""Users of cocos-computations: tokens, roles, and what each call is for."""
import contextlib
import fcntl
import json
import os
import random
import re
import socket as listener
import subprocess

import grpc

import tap
from computations_service import agent_of, connected
from harness import (PATIENCE, Computations, Folder, authority, cli, computations, computations_grpc, lost, read,
                     credentials, cvms, people, people_grpc, program, spki, until)

KEY, _ = spki()
ALL = ["view", "edit", "run", "administrator", "dataset_provider", "algo_provider", "result_consumer"]
ROLES = {"owner": ALL, "administrator": ["view", "administrator"], "editor": ["view", "edit"],
         "runner": ["view", "run"], "viewer": ["view"], "algo_provider": ["view", "algo_provider"],
         "dataset_provider": ["view", "dataset_provider"],
         "result_consumer": ["view", "result_consumer"]}
OK = None
DENIED, HIDDEN = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND
NOT_NOW, STRANGER = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAUTHENTICATED


class Caller:
    """Both services' stubs with one token, or without."""

    def __init__(self, channel, token=None):
        self.metadata = [("authorization", "Bearer " + token)] if token else []
        self.stubs = (computations_grpc.ComputationServiceStub(channel), people_grpc.PeopleServiceStub(channel))
        self.modules = (computations, people)

    def __call__(self, method, request=None, **fields):
        stub = next(s for s in self.stubs if hasattr(s, method))
        if request is None:
            request = self.request(method)(**fields)
        answer = getattr(stub, method)(request, timeout=PATIENCE, metadata=self.metadata)
        return list(answer) if method == "Logs" else answer

    def request(self, method):
        for module, service in zip(self.modules, ("ComputationService", "PeopleService")):
            found = module.DESCRIPTOR.services_by_name[service].methods_by_name.get(method)
            if found:
                return found.input_type._concrete_class  # pylint: disable=protected-access
        raise KeyError(method)

    def code(self, method, request=None, **fields):
        try:
            self(method, request, **fields)
        except grpc.RpcError as error:
            return error.code()
        return OK

    def text(self, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            return error.details()
        raise AssertionError(f"{method} is not refused")


@contextlib.contextmanager
def service(**settings):
    with Folder() as folder, Computations(folder, **settings) as running:
        running.folder = folder
        running.root = Caller(running.channel)
        yield running


def user(running, name, administrator=False, **token):
    """A new user's caller."""
    running.root("AddUser", name=name, administrator=administrator)
    return Caller(running.channel, running.root("AddToken", user=name, name="t", **token).token)


def manifest_of(name, called=""):
    return cvms.ComputationRunReq(id=name, name=called or name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
                                  result_consumers=[cvms.ResultConsumer(userKey=KEY)])


def create(caller, name="c"):
    caller("Create", computations.CreateRequest(manifest=manifest_of(name)))
    return name


def each_role_may_call_what_its_actions_say():
    """Every role and every method that is about a computation. What a right does not stop fails for another
    reason: there is no CVM."""
    may = {"Show": "view", "Manifest": "view", "Logs": "view", "Journal": "view", "Witness": "view",
           "ListRoles": "view", "Whoami": "view", "Run": "run", "Stop": "run", "GiveRole": "administrator",
           "TakeRole": "administrator", "DefineRole": "administrator", "Remove": "administrator",
           "Rename": "edit", "Update": "edit"}
    with service() as running:
        running.root("AddUser", name="other")
        people_of = {role: user(running, "u-" + role) for role in ROLES}
        nobody = user(running, "nobody")
        for role, actions in ROLES.items():
            for method, action in may.items():
                create(running.root)
                running.root("GiveRole", computation_id="c", role=role, user="u-" + role)
                running.root("GiveRole", computation_id="c", role="owner", user="other")
                field = "computation_id" if method in ("ListRoles", "Whoami", "GiveRole", "TakeRole",
                                                       "DefineRole") else "id"
                fields = {field: "c"}
                if method in ("GiveRole", "TakeRole"):
                    fields.update(role="viewer", user="other")
                if method == "DefineRole":
                    fields.update(role="own", actions=["view"])
                if method == "Rename":
                    fields.update(name="another")
                if method == "Update":
                    fields = {"manifest": manifest_of("c", "another")}
                code = people_of[role].code(method, **fields)
                if action not in actions:
                    assert code == DENIED, (role, method, code)
                elif method in ("Run", "Journal"):  # no CVM; nothing yet
                    assert code in (NOT_NOW, HIDDEN, OK) and code != DENIED, (role, method, code)
                else:
                    assert code == OK, (role, method, code)
                if not (method == "Remove" and code == OK):
                    assert nobody.code(method, **fields) == HIDDEN, method
                    running.root("Remove", id="c", force=True)


def what_is_the_service_s_is_for_its_administrators():
    with service() as running:
        create(running.root)
        anna, chief = user(running, "anna"), user(running, "chief", administrator=True)
        viewer = Caller(running.channel, running.root("AddToken", user="chief", name="v", actions=["view"]).token)
        for method, fields in (("ListUsers", {}), ("AddUser", {"name": "x"}), ("ListCvms", {}),
                               ("SuspendUser", {"name": "anna", "resume": True}), ("SetAuditor", {"name": "anna"}), ("RemoveUser", {"name": "x"}),
                               ("AddToken", {"user": "anna", "name": "x"}), ("ListTokens", {"name": "anna"}),
                               ("RevokeToken", {"user": "anna", "name": "x"})):
            if "anna" not in (fields.get("user"), fields.get("name")) or method in ("SuspendUser", "SetAuditor"):
                assert anna.code(method, **fields) == DENIED, method
            assert viewer.code(method, **fields) == DENIED, method
            assert chief.code(method, **fields) == OK, method
        for method in ("ShowCvm", "ReleaseCvm"):
            assert anna.code(method, id="x") == DENIED
            assert chief.code(method, id="x") == HIDDEN
        assert anna.code("Logs", cvm_id="x") == DENIED
        assert chief.code("Stop", id="c") == OK
        assert viewer.code("Stop", id="c") == DENIED
        assert viewer.code("Show", id="c") == OK
        assert anna.code("Run", id="c", unverified=True) == HIDDEN
        running.root("GiveRole", computation_id="c", role="owner", user="anna")
        assert [c.id for c in anna("List").computations] == ["c"]
        # A token that is for less makes none for more, also of somebody else, who may more.
        user(running, "deputy", administrator=True)
        less = Caller(running.channel, running.root("AddToken", user="chief", name="less", actions=["view", "administrator"]).token)
        for more in (["view", "edit"], ["view", "edit", "administrator"], list(chief("Whoami").actions)):
            assert "for no more than the one" in less.text("AddToken", user="deputy", name="x", actions=more), more
        made = Caller(running.channel, less("AddToken", user="deputy", name="same").token)
        assert list(made("Whoami").actions) == list(less("Whoami").actions)


def a_token_is_for_what_it_says_until_it_is_revoked():
    with service() as running:
        create(running.root)
        anna = user(running, "anna")
        running.root("GiveRole", computation_id="c", role="owner", user="anna")
        viewer = Caller(running.channel, anna("AddToken", name="v", actions=["view"]).token)
        assert viewer.code("Show", id="c") == OK
        for method in ("Run", "Stop", "Remove"):
            assert viewer.code(method, id="c") == DENIED, method
        assert list(viewer("Whoami", computation_id="c").actions) == ["view"]
        # It makes no other, and sees none.
        assert viewer.code("AddToken", name="x", actions=["view"]) == DENIED
        assert viewer.code("ListTokens") == DENIED
        assert [t.name for t in anna("ListTokens").tokens] == ["t", "v"]
        # A token that a token made ends with it.
        longer = anna("AddToken", name="l", days=366)
        assert longer.expires == anna("Whoami").expires
        anna("RevokeToken", name="v")
        assert viewer.code("Show", id="c") == STRANGER
        running.root("SuspendUser", name="anna")
        assert anna.code("Whoami") == STRANGER
        running.root("SuspendUser", name="anna", resume=True)
        assert anna.code("Whoami") == OK
        assert anna.code("AddToken", name="x", actions=["view", "fly"]) == grpc.StatusCode.INVALID_ARGUMENT
        assert anna.code("AddToken", name="x", actions=["run"]) == grpc.StatusCode.INVALID_ARGUMENT
        assert anna.code("AddToken", name="x", actions=["view"] * 8) == grpc.StatusCode.INVALID_ARGUMENT
        assert anna("AddToken", name="x", days=2**32 - 1).expires == longer.expires
        assert running.root.code("AddToken", user="anna", name="y", days=367) == grpc.StatusCode.INVALID_ARGUMENT


def no_token_is_taken_for_one():
    with service() as running:
        anna = user(running, "anna")
        good = anna.metadata[0][1]
        wrong = [good + "0", good[:-1], good.upper(), good.replace("Bearer", "Bear"), good.replace(" ", ""),
                 "Bearer", "Basic " + good[7:], good[7:], "Bearer cocos_" + "0" * 64,
                 good[:-1] + ("0" if good[-1] != "0" else "1")]
        for value in wrong:
            anna.metadata = [("authorization", value)]
            # Neither read nor taken for the socket's own user.
            assert anna.code("Whoami") == STRANGER, value
            assert anna.code("List") == STRANGER, value
            assert anna.code("Logs", id="x") == STRANGER, value
        anna.metadata = [("authorization", good), ("authorization", good)]
        assert anna.code("Whoami") == STRANGER
        # RFC 9110, section 11.4: the scheme in any case, and spaces.
        for value in (good, good.replace("Bearer", "bearer"), good.replace("Bearer", "BEARER"), good.replace(" ", "  ")):
            anna.metadata = [("authorization", value)]
            assert anna("Whoami").user == "anna", value


def a_user_does_not_take_all_places_of_readers():
    with service() as running:
        create(running.root)
        anna = user(running, "anna")
        running.root("GiveRole", computation_id="c", role="viewer", user="anna")
        stub = computations_grpc.ComputationServiceStub(running.channel)
        request = computations.LogsRequest(id="c", follow=True)
        streams = [stub.Logs(request, metadata=anna.metadata) for _ in range(33)]
        until(lambda: any(stream.done() for stream in streams), "a refusal")
        refused = [stream for stream in streams if stream.done()]
        assert [stream.code() for stream in refused] == [grpc.StatusCode.RESOURCE_EXHAUSTED], refused
        running.root("Logs", id="c")
        for stream in streams:
            stream.cancel()


def one_s_own_computations_are_one_s_own():
    with service(MAX_COMPUTATIONS="3") as running:
        anna, bert = user(running, "anna"), user(running, "bert")
        create(anna, "one")
        create(bert, "two")
        create(running.root, "three")
        assert [c.id for c in anna("List").computations] == ["one"]
        assert [c.id for c in bert("List").computations] == ["two"]
        assert len(running.root("List").computations) == 3
        assert bert.text("Show", id="one").replace("one", "x") == bert.text("Show", id="none").replace("none", "x")
        members = {r.role_name: list(r.members) for r in anna("ListRoles", computation_id="one").roles}
        assert members["owner"] == ["anna"] and not members["viewer"]
        assert {r.role_name: list(r.actions) for r in anna("ListRoles", computation_id="one").roles} == ROLES
        # Ownership goes to somebody else, and never to nobody.
        assert "only owner" in anna.text("TakeRole", computation_id="one", role="owner", user="anna")
        assert "only owner of 1" in running.root.text("RemoveUser", name="anna")
        anna("GiveRole", computation_id="one", role="owner", user="bert")
        anna("TakeRole", computation_id="one", role="owner", user="anna")
        assert anna.code("Show", id="one") == HIDDEN
        running.root("RemoveUser", name="anna")
        assert anna.code("Whoami") == STRANGER
        reader = Caller(running.channel, bert("AddToken", name="v", actions=["view"]).token)
        manifest = cvms.ComputationRunReq(name="x", algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY))
        assert reader.code("Create", computations.CreateRequest(manifest=manifest)) == DENIED


def what_others_run_is_not_told():
    with service() as running:
        anna = user(running, "anna")
        for caller, name in ((running.root, "secret-one"), (running.root, "third"), (anna, "mine")):
            create(caller, name)
        with agent_of(running, "cvm-1"):
            until(connected(running, "cvm-1"), "the connection")
            running.root("Run", id="secret-one", cvm_id="cvm-1")
            said = anna.text("Run", id="mine", cvm_id="cvm-1")
            assert "not free" in said and "secret" not in said, said
            assert "secret-one" in running.root.text("Run", id="third", cvm_id="cvm-1")


def after_the_first_run_parties_stay():
    with service() as running:
        anna = user(running, "anna")
        running.root("AddUser", name="bert")
        create(anna)
        anna("DefineRole", computation_id="c", role="lab", actions=["view", "algo_provider"])
        anna("GiveRole", computation_id="c", role="lab", user="bert")
        # Stopped before it ran: nobody has compared a manifest.
        anna("Stop", id="c")
        anna("GiveRole", computation_id="c", role="dataset_provider", user="bert")
        anna("TakeRole", computation_id="c", role="dataset_provider", user="bert")
        with agent_of(running, "cvm-1"):
            until(connected(running, "cvm-1"), "the connection")
            running.root("Run", id="c", cvm_id="cvm-1", again=True)
        for method, fields in (("GiveRole", {"role": "dataset_provider", "user": "bert"}),
                               ("TakeRole", {"role": "lab", "user": "bert"}),
                               ("DefineRole", {"role": "lab", "actions": ["view"]}),
                               ("DefineRole", {"role": "lab"}),
                               ("DefineRole", {"role": "new", "actions": ["view", "result_consumer"]})):
            assert "frozen" in anna.text(method, computation_id="c", **fields)
            assert "frozen" in running.root.text(method, computation_id="c", **fields)
        anna("GiveRole", computation_id="c", role="viewer", user="bert")
        anna("GiveRole", computation_id="c", role="owner", user="bert")
        anna("DefineRole", computation_id="c", role="new", actions=["view", "edit"])
        anna("DefineRole", computation_id="c", role="new")


def other_machines_sign_in_where_that_is_set():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_PORT": "0", "ADMIN_HOST": "0.0.0.0", "ADMIN_SIGN_IN": "true",
                    "ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem")}
        with service(**settings) as running:
            anna = user(running, "anna")
            port = running.process.wait_line(r"administrators: listening on \S+ port (\d+) \(TLS\)")[1]
            with grpc.secure_channel(f"localhost:{port}", credentials(tls)) as channel:
                assert Caller(channel).code("List") == STRANGER
                assert Caller(channel).code("Logs", id="x") == STRANGER
                there = Caller(channel)
                there.metadata = anna.metadata
                assert there("Whoami").user == "anna"
                assert there.code("ListUsers") == DENIED
            token = running.folder.write("token", anna.metadata[0][1][7:] + "\n")
            os.chmod(token, 0o600)
            environment = {"COMPUTATIONS_GRPC_URL": f"https://localhost:{port}",
                           "COMPUTATIONS_GRPC_SERVER_CA_CERTS": tls("ca.pem"),
                           "COMPUTATIONS_GRPC_TOKEN_FILE": token}
            assert cli("whoami", "--json", **environment).json()["user"] == "anna"
            environment["COMPUTATIONS_GRPC_URL"] = f"192.0.2.1:{port}"
            del environment["COMPUTATIONS_GRPC_SERVER_CA_CERTS"]
            cli("whoami", **environment).refused(2, "by TLS alone")
        with service(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as running:
            port = running.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                assert Caller(channel).code("List") == STRANGER
            assert running.root.code("List") == OK


def strangers_do_not_fill_the_audit_log():
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    with Folder() as folder:
        log = folder("audit.log")
        with service(ADMIN_PORT="0", ADMIN_SIGN_IN="true", AUDIT_LOG=log) as running:
            anna = user(running, "anna")
            port = running.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                there = Caller(channel, anna.metadata[0][1][7:])
                assert there("Whoami").user == "anna"
                codes = [Caller(channel, f"cocos_{number:064x}").code("AddUser", name="stranger")
                         for number in range(100)]
                assert codes[0] == STRANGER and exhausted in codes and set(codes) == {STRANGER, exhausted}, codes
                # From the same address, with a token that is somebody's.
                create(there)
                there("RevokeToken", name="t")
                assert there.code("Stop", id="c") == STRANGER
        with open(log, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        asked = [x for x in lines if x["event"] == "asked" and x.get("user") == "stranger"]
        assert len(asked) == codes.count(STRANGER) < 100, len(asked)


def who_was_known_before_a_restart_is_no_stranger_behind_it():
    """However many strangers are at one address: the first thing that a token is shown for is a change, and is done."""
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    with Folder() as folder, service(ADMIN_PORT="0", ADMIN_SIGN_IN="true", AUDIT_LOG=folder("audit.log")) as running:
        anna, gone = user(running, "anna"), user(running, "gone")
        known, ended = (caller.metadata[0][1][7:] for caller in (anna, gone))
        assert anna("Whoami").user == "anna"
        running.root("RevokeToken", user="gone", name="t")
        running.channel.close()
        running.process.kill()
        running.start()
        port = running.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        assert Caller(running.channel).code("ListUsers") == OK  # what was begun before it is over
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert exhausted in [Caller(channel, f"cocos_{number:064x}").code("AddUser", name="stranger") for number in range(100)]
            create(Caller(channel, known))
            # One that is nobody's any more is a stranger's.
            assert exhausted in [Caller(channel, ended).code("Stop", id="c") for _ in range(30)]


def the_option_names_a_file_too(running, socket, token):
    other = running.folder("other.token")
    cli("token", "add", "anna", "option", "--file", other, "--actions", "view", **socket).ok()
    mine = dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE=token)

    def actions(*words, **environment):
        return cli("whoami", "--json", *words, **environment).json()["actions"]

    everything = actions(**mine)
    assert actions("--token", other, **mine) == "view" != everything
    assert "COMPUTATIONS_GRPC_TOKEN_FILE is '" + other + "', from the option" in cli("whoami", "-v", "--token", other, **mine).err
    assert "COMPUTATIONS_GRPC_TOKEN_FILE is '" + token + "', from the environment" in cli("whoami", "-v", **mine).err
    # By a pipe, as a program does it that has it in a variable.
    read_end, write_end = os.pipe()
    os.write(write_end, read(other).rstrip(b"\n"))
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert cli("whoami", "--json", "--token", "/dev/stdin", stdin=pipe, **socket).json()["actions"] == "view"
    # The token itself: wherever it stands it is not sent, and not shown.
    secret = read(other).decode().strip()
    for words, environment in ((("--token", secret), socket), ((), dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE=secret))):
        done = cli("whoami", "-v", *words, **environment)
        done.refused(2, "has the token itself")
        assert secret not in done.err + done.out
    homes = dict(socket, XDG_CONFIG_HOME=running.folder("config"))
    for words in (("profile", "add", "leak", "--token", secret), ("whoami", "--token", "Bearer " + secret), ("whoami", "--token", " " + secret),
                  ("profile", "add", "leak", "--set", "COMPUTATIONS_GRPC_TOKEN_FILE=" + secret), ("whoami", secret), ("login", "--token=" + secret),
                  ("whoami", "--tokn=" + secret), (secret,)):
        done = cli(*words, **homes)
        done.refused(2, "has the token itself")
        assert secret not in done.err + done.out, words
    done = cli("whoami", "-v", **dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE="Bearer " + secret))
    done.refused(2, "has the token itself")
    assert secret not in done.err + done.out
    # One that is cut is nobody's, and not shown as an option's value either.
    done = cli("login", "--token=" + secret[:-1], **homes)
    done.refused(2, "unknown option '--token'")
    assert secret[:-1] not in done.err
    # A shell's variable that is not set makes nobody an administrator.
    for words in (("whoami",), ("profile", "add", "leak")):
        cli(*words, "--token", "", **homes).refused(2, "is empty: it names the file of a token")
    assert cli("whoami", "--json", **dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE="")).json()["user"] == ""
    cli("profile", "add", "kept", "--token", other, **homes).ok()
    assert actions("--profile", "kept", **homes) == "view"
    assert actions("--profile", "kept", "--token", token, **homes) == everything
    # Who needs nobody to be known has no such option, and no manager's command.
    for command in ("login", "certificate authority", "vm list"):
        cli(*command.split(), "--token", other, **socket).refused(2, "unknown option '--token'")


def what_was_killed_leaves_nothing(running, socket):
    """For longer than until the next command for that file; what others have, or hold, stays."""
    def parts():
        return {name for name in os.listdir(running.folder.path) if ".told-" in name}

    path = running.folder("kept.token")
    with listener.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        killed = subprocess.Popen([program("cocos-cli"), "token", "add", "anna", "killed", "--file", path, "--grpc-url",
                                   f"127.0.0.1:{silent.getsockname()[1]}"], stderr=subprocess.DEVNULL)
        until(parts, "a place for the token")
        killed.kill()
        killed.wait()
    (left,) = parts()
    assert re.fullmatch(r"kept\.token\.told-[0-9a-f]{16}", left), left
    digits = "0123456789abcdef"
    others = {"kept.token.told-backup", "kept.token.told-" + digits[1:], "kept.token.told-" + digits + "0",
              "kept.token.told-" + digits.upper(), "other.token.told-" + digits}
    for name in others:
        running.folder.write(name, "theirs")
    linked, held = "kept.token.told-" + "1" * 16, "kept.token.told-" + "2" * 16
    os.symlink("old.token", running.folder(linked))
    with open(running.folder(held), "wb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        cli("token", "add", "anna", "killed", "--file", path, **socket).ok()
        others |= {linked, held}
        assert left not in others and parts() == others, parts()
    for name in others | {"kept.token"}:
        os.unlink(running.folder(name))
    cli("token", "revoke", "anna", "killed", **socket).ok()


def what_can_not_be_kept_is_not_asked_for(running, socket, token):
    """And who is refused has no file."""
    for path in (running.folder("none", "t"), os.path.join(token, "t")):
        cli("token", "add", "anna", "other", "--file", path, **socket).refused(1, "token file: write beside")
    cli("token", "add", "eve", "x", "--file", running.folder("refused"), **socket).refused(1, "no user 'eve'")
    assert not [name for name in os.listdir(running.folder.path) if name.startswith("refused") or ".told-" in name]
    what_was_killed_leaves_nothing(running, socket)
    old = running.folder.write("old.token", "of before")
    cli("token", "add", "anna", "new", "--file", old, "--force", **socket).ok()
    assert re.fullmatch(rb"cocos_[0-9a-f]{64}\n", read(old)) and os.stat(old).st_mode & 0o777 == 0o600
    remedy = lost("'cocos-cli token revoke anna unseen'", "token", "add", "anna", "unseen", **socket)
    for words in (remedy.strip("'").split()[1:], ("token", "revoke", "anna", "new")):
        cli(*words, **socket).ok()


def commands_do_all_of_it():
    with service() as running:
        socket = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket}
        create(running.root)
        token = running.folder("anna.token")
        cli("user", "add", "anna", **socket).ok()
        cli("user", "add", "Anna", **socket).refused(1, "user 'Anna'")
        cli("token", "add", "anna", "laptop", "--file", token, "--days", "7", **socket).ok()
        assert os.stat(token).st_mode & 0o777 == 0o600
        cli("token", "add", "anna", "x", "--file", token, **socket).refused(1, "is there already", "--force replaces it")
        what_can_not_be_kept_is_not_asked_for(running, socket, token)
        cli("token", "add", "anna", "x", "--days", "0", **socket).refused(2, "--days")
        shown = cli("token", "add", "anna", "shown", "--actions", "view", **socket).ok().strip()
        assert shown.startswith("cocos_") and len(shown) == 70, shown
        assert [t["name"] for t in cli("token", "list", "anna", "--json", **socket).json()] == [
            "laptop", "shown"]
        mine = dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE=token)
        cli("computation", "show", "c", **mine).refused(1, "no computation 'c'")
        rows = cli("role", "give", "c", "runner", "anna", "--json", **socket).json()
        assert {"role_name": "runner", "actions": ["view", "run"], "members": ["anna"]} in rows, rows
        assert cli("computation", "list", "--json", **mine).json()[0]["id"] == "c"
        assert cli("whoami", "c", "--json", **mine).json()["actions"] == "view,run"
        cli("computation", "logs", "c", **mine).ok()
        cli("computation", "run", "c", "--wait=1s", **mine).refused(1, "waited 1s until a CVM can take the computation")
        cli("computation", "run", "c", "--cvm", "nowhere", **mine).refused(
            1, "CVM 'nowhere' is not connected", "hint: 'cocos-cli cvm list' shows which")
        cli("computation", "remove", "c", **mine).refused(1, "user anna may not remove it")
        cli("role", "take", "c", "runner", "anna", **socket).ok()
        cli("computation", "logs", "c", **mine).refused(1, "no computation 'c'")
        cli("role", "define", "c", "auditor", "view,edit", **socket).ok()
        cli("role", "give", "c", "auditor", "anna", **socket).ok()
        assert "auditor           view,edit" in cli("role", "list", "c", **mine).ok()
        cli("role", "define", "c", "auditor", "--remove", **socket).ok()
        cli("role", "define", "c", "auditor", **socket).refused(2, "--remove")
        # One that was stopped before it ran is not frozen by a run.
        cli("computation", "stop", "c", **socket).ok()
        cli("role", "give", "c", "dataset_provider", "anna", **socket).ok()
        cli("computation", "run", "c", "--wait", **socket).refused(1, "'c' has ended ('Cancelled'): 'computation retry' runs it")
        os.chmod(token, 0o640)
        cli("whoami", **mine).refused(2, "open to others")
        os.chmod(token, 0o600)
        the_option_names_a_file_too(running, socket, token)
        cli("token", "revoke", "anna", "laptop", **socket).ok()
        cli("whoami", **mine).refused(1, "was revoked")
        cli("user", "suspend", "anna", **socket).ok()
        assert "suspended" in cli("user", "list", **socket).ok()
        cli("user", "remove", "anna", **socket).ok()
        # What is no token is no secret: its mode is not what is wrong with it.
        running.folder.write("token", "two words\n")
        for mode in (0o600, 0o644):
            os.chmod(running.folder("token"), mode)
            cli("whoami", **dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE=running.folder("token"))).refused(
                2, "no token in its first line")


def the_audit_log_says_who():
    with Folder() as folder:
        log = folder("audit.log")
        with service(AUDIT_LOG=log) as running:
            anna = user(running, "anna")
            create(anna)
            anna("GiveRole", computation_id="c", role="viewer", user="anna")
            assert anna.code("AddUser", name="x") == DENIED
            secret = anna.metadata[0][1][7:]
        with open(log, encoding="utf-8") as file:
            text = file.read()
        lines = [json.loads(line) for line in text.splitlines()]
        done = {(x["method"].split("/")[1], x.get("by"), x["outcome"]) for x in lines if x["event"] == "done"}
        assert {("AddToken", None, "OK"), ("Create", "anna", "OK"), ("GiveRole", "anna", "OK"),
                ("AddUser", "anna", "PERMISSION_DENIED")} <= done, done
        gave = next(x for x in lines if x["method"].endswith("GiveRole") and x["event"] == "done")
        assert (gave["id"], gave["role"], gave["user"]) == ("c", "viewer", "anna"), gave
        assert secret not in text and secret[6:] not in text


def names_that_lists_can_t_hold_are_refused_in_every_place():
    hostile = ["", "A", "a b", "ü", "a\u202e", "a\n", "../a", "a" * 64, "a'; DROP TABLE users; --", "\u00e9",
               "e\u0301", "-a", "a\x7f"]
    with service() as running:
        create(running.root)
        running.root("AddUser", name="anna")
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        for name in hostile:
            assert running.root.code("AddUser", name=name) == invalid, repr(name)
            assert running.root.code("AddToken", user="anna", name=name) == invalid, repr(name)
            assert running.root.code("DefineRole", computation_id="c", role=name, actions=["view"]) == invalid
            assert running.root.code("GiveRole", computation_id="c", role=name, user="anna") == HIDDEN
            assert running.root.code("GiveRole", computation_id="c", role="viewer", user=name) == HIDDEN
            for method in ("SuspendUser", "RemoveUser"):
                assert running.root.code(method, name=name) == HIDDEN, repr(name)
        assert [u.name for u in running.root("ListUsers").users] == ["anna"]


def it_survives_kill_9():
    with service() as running:
        anna = user(running, "anna")
        create(anna)
        chosen = random.Random(7).choice(["viewer", "runner"])
        running.root("AddUser", name="bert")
        anna("GiveRole", computation_id="c", role=chosen, user="bert")
        running.channel.close()
        running.process.kill()
        running.start()
        again = Caller(running.channel, anna.metadata[0][1][7:])
        roles = {r.role_name: list(r.members) for r in again("ListRoles", computation_id="c").roles}
        assert roles[chosen] == ["bert"] and roles["owner"] == ["anna"]


if __name__ == "__main__":
    tap.run([each_role_may_call_what_its_actions_say,
             what_is_the_service_s_is_for_its_administrators,
             a_token_is_for_what_it_says_until_it_is_revoked,
             no_token_is_taken_for_one,
             a_user_does_not_take_all_places_of_readers,
             one_s_own_computations_are_one_s_own,
             what_others_run_is_not_told,
             after_the_first_run_parties_stay,
             other_machines_sign_in_where_that_is_set,
             strangers_do_not_fill_the_audit_log, who_was_known_before_a_restart_is_no_stranger_behind_it,
             commands_do_all_of_it,
             the_audit_log_says_who,
             names_that_lists_can_t_hold_are_refused_in_every_place,
             it_survives_kill_9])
