# SPDX-License-Identifier: Apache-2.0
"""Workspaces of cocos-computations: who is in one, what that lets him do, and what others see of it."""
import base64
import itertools
import json

import grpc

import tap
from harness import PATIENCE, Folder, cli, computations, computations_grpc, cvms, until
from people import DENIED, HIDDEN, KEY, NOT_NOW, OK, Caller, service, user

INVALID = grpc.StatusCode.INVALID_ARGUMENT
MEMBERSHIPS = ("viewer", "member", "administrator")


def manifest(name):
    return cvms.ComputationRunReq(id=name, name=name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
                                  result_consumers=[cvms.ResultConsumer(userKey=KEY)])


def create(caller, name, workspace=""):
    return caller("Create", computations.CreateRequest(manifest=manifest(name), workspace=workspace))


def create_code(caller, name, workspace=""):
    return caller.code("Create", computations.CreateRequest(manifest=manifest(name), workspace=workspace))


def member(running, name, workspace="default", role="member", **token):
    """A new user's caller, who is in that workspace and no other."""
    running.root("AddUser", name=name, workspace=workspace)
    running.root("SetMember", workspace=workspace, user=name, role=role)
    return Caller(running.channel, running.root("AddToken", user=name, name="t", **token).token)


def lab(running):
    """A second workspace, with an administrator who stays."""
    running.root("AddWorkspace", name="lab")
    return member(running, "head", "lab", "administrator")


def each_role_in_a_workspace_calls_what_it_is_for():
    """Every role in a workspace, nobody, who is suspended and who administers the service; every method about one."""
    look, govern, chief = {"viewer", "member", "administrator"}, {"administrator"}, set()
    methods = {
        "ShowWorkspace": (look, {"name": "lab"}), "ListMembers": (look, {"workspace": "lab"}),
        "List": (look, {"workspace": "lab"}), "Create": ({"member", "administrator"}, None),
        "LeaveWorkspace": (look, {"name": "lab"}), "RenameWorkspace": (govern, {"name": "lab", "to": "ward"}),
        "TransferWorkspace": (govern, {"workspace": "lab", "user": "other"}),
        "SetMember": (govern, {"workspace": "lab", "user": "other", "role": "viewer"}),
        "SuspendMember": (govern, {"workspace": "lab", "user": "other"}),
        "RemoveMember": (govern, {"workspace": "lab", "user": "other"}), "RemoveWorkspace": (govern, {"name": "lab"}),
        "AddMember": (chief, {"workspace": "lab", "user": "free"}), "AddWorkspace": (chief, {"name": "more"}),
    }
    with service() as running:
        running.root("AddUser", name="free")
        number = itertools.count()

        def call(caller, method, fields):
            if method == "Create":
                return create_code(caller, f"c{next(number)}", "lab")
            return caller.code(method, **fields)

        def again():
            """As before, whatever the last call has done."""
            for workspace in running.root("ListWorkspaces").workspaces:
                if workspace.name in ("lab", "ward", "more"):
                    for c in running.root("List", workspace=workspace.name).computations:
                        running.root("Remove", id=c.id)
                    running.root("RemoveWorkspace", name=workspace.name)
            running.root("AddWorkspace", name="lab")
            for name, role in {**{"w-" + role: role for role in MEMBERSHIPS}, "other": "member", "held": "administrator",
                               "head": "administrator"}.items():
                running.root("AddMember", workspace="lab", user=name, role=role)
            running.root("SuspendMember", workspace="lab", user="held")

        callers = {name: user(running, name) for name in ("w-viewer", "w-member", "w-administrator", "held", "nobody")}
        running.root("AddUser", name="other")
        running.root("AddUser", name="head")
        operator = user(running, "operator", administrator=True)
        for method, (may, fields) in methods.items():
            for role in MEMBERSHIPS:
                again()
                code = call(callers["w-" + role], method, fields)
                assert code == (OK if role in may else DENIED), (method, role, code)
            for name in ("held", "nobody"):
                again()
                code = call(callers[name], method, fields)
                assert code == (HIDDEN if may else DENIED), (method, name, code)
            again()
            # Who administers the service is in it only if he is.
            code = call(operator, method, fields)
            assert code == (HIDDEN if method == "LeaveWorkspace" else OK), (method, code)
        again()
        assert "no user" in running.root.text("LeaveWorkspace", name="lab")


def a_token_for_less_is_for_less_in_workspaces():
    with service() as running:
        lab(running)
        running.root("AddUser", name="other", workspace="lab")
        viewer = member(running, "chief", "lab", "administrator", actions=["view"])
        assert viewer.code("ShowWorkspace", name="lab") == OK
        for method, fields in (("LeaveWorkspace", {"name": "lab"}), ("RenameWorkspace", {"name": "lab", "to": "x"}),
                               ("RemoveMember", {"workspace": "lab", "user": "other"}),
                               ("AddWorkspace", {"name": "x"})):
            assert viewer.code(method, **fields) == DENIED, method
        assert create_code(viewer, "x", "lab") == DENIED
        assert [w.role for w in viewer("ListWorkspaces").workspaces] == ["administrator"]


def of_another_workspace_nothing_is_there():
    """Every call that names a computation or a workspace, of another one and of none: the same words."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna")
        create(head, "secret", "lab")
        create(anna, "mine")
        assert [c.id for c in anna("List").computations] == ["mine"]
        assert [w.name for w in anna("ListWorkspaces").workspaces] == ["default"]
        of_computation = [("Show", "id", {}), ("Manifest", "id", {}), ("Logs", "id", {}), ("Run", "id", {}),
                          ("Stop", "id", {}), ("Remove", "id", {}), ("Rename", "id", {"name": "x"}), ("Journal", "id", {}), ("Witness", "id", {}),
                          ("ListRoles", "computation_id", {}), ("Whoami", "computation_id", {}),
                          ("GiveRole", "computation_id", {"role": "viewer", "user": "anna"}),
                          ("TakeRole", "computation_id", {"role": "viewer", "user": "anna"}),
                          ("DefineRole", "computation_id", {"role": "x", "actions": ["view"]}), ("List", "after", {})]
        of_workspace = [("ShowWorkspace", "name", {}), ("RemoveWorkspace", "name", {}), ("LeaveWorkspace", "name", {}),
                        ("RenameWorkspace", "name", {"to": "x"}), ("ListMembers", "workspace", {}),
                        ("List", "workspace", {}), ("SetMember", "workspace", {"user": "head", "role": "viewer"}),
                        ("SuspendMember", "workspace", {"user": "head"}),
                        ("RemoveMember", "workspace", {"user": "head"}),
                        ("TransferWorkspace", "workspace", {"user": "anna"})]
        for names, calls in ((("secret", "nobodys"), of_computation), (("lab", "gone"), of_workspace)):
            for method, field, more in calls:
                there, none = (anna.text(method, **{field: name}, **more) for name in names)
                assert there.replace(names[0], "x") == none.replace(names[1], "x"), (method, there, none)
                assert anna.code(method, **{field: names[0]}, **more) == HIDDEN, method
        updated = [anna.text("Update", manifest=manifest(name)) for name in ("secret", "nobodys")]
        assert updated[0].replace("secret", "x") == updated[1].replace("nobodys", "x"), updated
        assert create_code(anna, "x", "lab") == create_code(anna, "x", "gone") == HIDDEN
        # Ids are there once: that one is taken is told, in the words of one's own (docs/security.md).
        taken = [anna.text("Create", manifest=manifest(name)) for name in ("secret", "mine")]
        assert taken == ["computation 'secret' exists already", "computation 'mine' exists already"], taken
        # Nor does it say who else is a user of the service.
        given = [anna.text("GiveRole", computation_id="mine", role="viewer", user=name) for name in ("head", "none")]
        assert given[0].replace("head", "x") == given[1].replace("none", "x"), given
        # Nor by keys, which manifests name by users.
        found = [anna.text("FindKey", name=name) for name in ("head", "none")]
        assert found[0].replace("head", "x") == found[1].replace("none", "x"), found
        # Nor by an import, which leaves out who is not in the workspace.
        imported = []
        for name in ("head", "none"):
            document = json.dumps({"id": "", "name": "x", "description": "", "owner": "anna",
                                   "algorithm": {"provider": "anna", "hash": "00" * 32}, "datasets": [],
                                   "roles": [{"role_name": "viewer", "members": [name]}]}).encode()
            keys = [computations.ImportPerson(id="anna", user="anna", key=KEY)]
            answer = anna("Import", document=document, preview=True, people=keys).computations[0]
            imported.append((answer.created, answer.missing, list(answer.unknown)))
        assert imported == [(True, "", ["head"]), (True, "", ["none"])], imported
        # Export names what is not there, and no more.
        ids = [anna.text("Export", ids=[name]) for name in ("secret", "nobodys")]
        assert ids[0].replace("secret", "x") == ids[1].replace("nobodys", "x"), ids


def who_is_suspended_there_has_no_rights_until_he_is_resumed():
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        create(anna, "hers", "lab")
        stub = computations_grpc.ComputationServiceStub(running.channel)
        stream = stub.Logs(computations.LogsRequest(id="hers", follow=True), timeout=PATIENCE, metadata=anna.metadata)
        until(lambda: head.code("Show", id="hers") == OK, "the computation")
        head("SuspendMember", workspace="lab", user="anna")
        for method in ("Show", "Stop", "Remove", "Logs"):
            assert anna.code(method, id="hers") == HIDDEN, method
        assert not anna("List").computations and not anna("ListWorkspaces").workspaces
        assert anna.code("ShowWorkspace", name="lab") == HIDDEN
        assert create_code(anna, "more", "lab") == HIDDEN
        assert "in no workspace" in anna.text("Create", request=computations.CreateRequest(manifest=manifest("more")))
        # What she followed tells her nothing that comes after.
        running.root("Stop", id="hers")
        until(stream.done, "the end of what she followed")
        assert stream.code() == HIDDEN, stream.code()
        head("SuspendMember", workspace="lab", user="anna", resume=True)
        assert anna.code("Remove", id="hers") == OK


def an_administrator_of_a_workspace_is_none_of_the_service():
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        create(anna, "hers", "lab")
        create(running.root, "elsewhere")
        # In each of its computations he may what an administrator of the service may there.
        assert [c.id for c in head("List").computations] == ["hers"]
        assert list(head("Whoami", computation_id="hers").actions) == ["view", "edit", "run", "administrator"]
        head("GiveRole", computation_id="hers", role="runner", user="head")
        assert head.code("Run", id="hers", unverified=True) == DENIED
        assert head.code("Stop", id="elsewhere") == HIDDEN
        for method in ("ListUsers", "ListCvms", "WitnessLeaves"):
            assert head.code(method) == DENIED, method
        assert head.code("AddUser", name="x") == DENIED
        assert head.code("AddMember", workspace="lab", user="anna") == DENIED
        # A viewer of the workspace sees what a role shows, and does nothing there: not what is hers alone.
        assert "only owner of 1" in head.text("SetMember", workspace="lab", user="anna", role="viewer")
        head("GiveRole", computation_id="hers", role="owner", user="head")
        head("SetMember", workspace="lab", user="anna", role="viewer")
        assert "only owner" in head.text("TakeRole", computation_id="hers", role="owner", user="head")
        assert anna.code("Show", id="hers") == OK and anna.code("Stop", id="hers") == DENIED
        assert create_code(anna, "more", "lab") == DENIED


def members_come_and_go():
    with service() as running:
        head = lab(running)
        anna, bert = member(running, "anna", "lab"), member(running, "bert", "lab")
        create(anna, "hers", "lab")
        assert "only owner of 1" in anna.text("LeaveWorkspace", name="lab")
        assert "only owner of 1" in head.text("RemoveMember", workspace="lab", user="anna")
        assert "only administrator" in head.text("LeaveWorkspace", name="lab")
        assert head.code("SetMember", workspace="lab", user="head", role="member") == NOT_NOW
        assert head.code("SetMember", workspace="lab", user="anna", role="king") == INVALID
        anna("GiveRole", computation_id="hers", role="owner", user="bert")
        anna("LeaveWorkspace", name="lab")
        assert anna.code("Show", id="hers") == HIDDEN
        # Back again, without what she had.
        running.root("AddMember", workspace="lab", user="anna")
        assert not anna("List").computations
        head("TransferWorkspace", workspace="lab", user="bert")
        assert head.code("RenameWorkspace", name="lab", to="x") == DENIED
        assert {m.user: m.role for m in bert("ListMembers", workspace="lab").members} == {
            "anna": "member", "bert": "administrator", "head": "member"}
        assert bert("RenameWorkspace", name="lab", to="ward").role == "administrator"
        assert bert("Show", id="hers").workspace == "ward"
        assert bert.code("RemoveWorkspace", name="ward") == NOT_NOW
        bert("Remove", id="hers")
        bert("RemoveWorkspace", name="ward")
        assert bert.code("Whoami") == OK and create_code(bert, "x") == DENIED


def create_all(caller, prefix):
    """As many as he may."""
    for number in itertools.count():
        try:
            create(caller, f"{prefix}{number}")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
            return number


def what_one_creates_takes_nobody_elses_room():
    """Of 40 computations 4 are the administrators', 18 are shared out among two users: one gets 27, and leaves 9."""
    with service(MAX_COMPUTATIONS="40") as running:
        anna, bert = user(running, "anna"), user(running, "bert")
        assert create_all(anna, "a") == 27
        # Whose they are by now makes no room: not hers, nor takes it from him who got them.
        for number in range(27):
            anna("GiveRole", computation_id=f"a{number}", role="owner", user="bert")
            anna("TakeRole", computation_id=f"a{number}", role="owner", user="anna")
        assert len(anna("List").computations) == 0 and len(bert("List").computations) == 27
        assert "27 computations that you created are kept" in anna.text("Create", manifest=manifest("more"))
        assert create_all(bert, "b") == 9
        for number in range(4):
            create(running.root, f"r{number}")
        assert "COMPUTATIONS_MAX_COMPUTATIONS" in running.root.text("Create", manifest=manifest("more"))
        # What is removed, by whomever, she may create again.
        bert("Remove", id="a3")
        create(anna, "more")
        assert create_code(anna, "evenmore") == create_code(bert, "evenmore") == grpc.StatusCode.RESOURCE_EXHAUSTED


def who_was_made_an_owner_is_not_held_by_it():
    """By what others created: he gives it up, is removed, or made a viewer, and an administrator has it."""
    with service() as running:
        head = lab(running)
        anna, carl, dora = (member(running, name, "lab") for name in ("anna", "carl", "dora"))
        for number in range(4):
            create(anna, f"a{number}", "lab")
            anna("GiveRole", computation_id=f"a{number}", role="owner", user="dora" if number == 3 else "carl")
            anna("TakeRole", computation_id=f"a{number}", role="owner", user="anna")
        carl("TakeRole", computation_id="a0", role="owner", user="carl")
        assert carl.code("Show", id="a0") == HIDDEN
        create(carl, "own", "lab")
        assert "only owner of 1 computation in" in head.text("RemoveMember", workspace="lab", user="carl")
        assert "only owner" in carl.text("TakeRole", computation_id="own", role="owner", user="carl")
        carl("Remove", id="own")
        head("RemoveMember", workspace="lab", user="carl")
        head("SetMember", workspace="lab", user="dora", role="viewer")
        for number in range(4):
            owners = [role.members for role in head("ListRoles", computation_id=f"a{number}").roles
                      if role.role_name == "owner"]
            assert owners == [["head"]], (number, owners)
        assert dora.code("Show", id="a3") == HIDDEN
        # Of the service as well, in whatever workspaces.
        head("GiveRole", computation_id="a1", role="owner", user="anna")
        head("TakeRole", computation_id="a1", role="owner", user="head")
        assert "only owner of 1" in running.root.text("RemoveUser", name="anna")
        running.root("AddMember", workspace="lab", user="carl")
        anna("GiveRole", computation_id="a1", role="owner", user="carl")
        anna("TakeRole", computation_id="a1", role="owner", user="anna")
        running.root("RemoveUser", name="carl")
        assert head.code("Show", id="a1") == OK and anna.code("Show", id="a1") == HIDDEN


def who_is_in_several_says_where():
    with service() as running:
        lab(running)
        anna = member(running, "anna", "lab")
        assert create(anna, "one").workspace == "lab"
        running.root("AddMember", workspace="default", user="anna")
        assert create(anna, "two").workspace == "default"
        assert create(anna, "three", "lab").workspace == "lab"
        assert [c.id for c in anna("List", workspace="lab").computations] == ["one", "three"]
        assert [c.id for c in anna("List").computations] == ["one", "two", "three"]
        running.root("RenameWorkspace", name="default", to="ward")
        assert "--workspace" in anna.text("Create", request=computations.CreateRequest(manifest=manifest("four")))
        assert create_code(running.root, "four") == INVALID
        # Nobody else's becomes the one that is meant, for new users and for those who name none.
        head = Caller(running.channel, running.root("AddToken", user="head", name="more").token)
        assert head.code("RenameWorkspace", name="lab", to="default") == DENIED
        running.root("RenameWorkspace", name="lab", to="default")
        assert head.code("RenameWorkspace", name="default", to="lab") == DENIED
        running.root("RenameWorkspace", name="default", to="lab")
        assert running.root.code("ListCvms", workspace="lab") == INVALID
        # An id is taken in all of them: agents know computations by it.
        assert create_code(anna, "one", "ward") == grpc.StatusCode.ALREADY_EXISTS
        document = json.dumps({"id": "five", "name": "x", "description": "", "owner": "anna",
                               "algorithm": {"provider": "anna", "hash": "00" * 32}, "datasets": []}).encode()
        for workspace, code in (("", INVALID), ("gone", HIDDEN), ("lab", OK)):
            assert anna.code("Import", document=document, preview=True, workspace=workspace) == code, workspace


def without_users_nothing_is_in_the_way():
    with service() as running:
        assert create(running.root, "one").workspace == "default"
        assert [w.name for w in running.root("ListWorkspaces").workspaces] == ["default"]
        assert running.root.code("RemoveWorkspace", name="default") == NOT_NOW
        running.root("Remove", id="one")
        assert "the only one" in running.root.text("RemoveWorkspace", name="default")


def commands_do_all_of_it():
    with service() as running:
        socket = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket}
        cli("workspace", "add", "lab", **socket).ok()
        cli("workspace", "add", "Lab", **socket).refused(1, "workspace 'Lab': use at most 63")
        cli("user", "add", "anna", "--workspace", "lab", **socket).ok()
        cli("user", "add", "bert", **socket).ok()
        assert "bert is viewer in workspace lab" in cli(
            "workspace", "member", "add", "lab", "bert", "--role", "viewer", **socket).ok()
        cli("workspace", "member", "role", "lab", "anna", "administrator", **socket).ok()
        token = running.folder("token")
        cli("token", "add", "anna", "t", "--file", token, **socket).ok()
        mine = dict(socket, COMPUTATIONS_GRPC_TOKEN_FILE=token)
        assert cli("workspace", "list", "--json", **mine).json() == [
            {"name": "lab", "role": "administrator", "members": 2, "computations": 0,
             "created": cli("workspace", "show", "lab", "--json", **mine).json()["created"]}]
        cli("workspace", "show", "default", **mine).refused(1, "no workspace 'default'")
        cli("workspace", "add", "more", **mine).refused(1, "may not administer this service: ask somebody whose role")
        cli("workspace", "member", "suspend", "lab", "bert", **mine).ok()
        assert [(m["user"], m["role"], m["state"]) for m in cli(
            "workspace", "member", "list", "lab", "--json", **mine).json()] == [
                ("anna", "administrator", "active"), ("bert", "viewer", "suspended")]
        for options, wanted in ((["--sort", "-name"], ["bert", "anna"]), (["--sort", "role"], ["anna", "bert"]),
                                (["--sort", "-changed"], ["bert", "anna"]), (["--search", "VIEW"], ["bert"])):
            assert [m["user"] for m in cli("workspace", "member", "list", "lab", "--json", *options, **mine).json()] == wanted, options
        cli("workspace", "member", "list", "lab", "--sort", "type", **mine).refused(1, "give name, role, created or changed")
        cli("workspace", "member", "resume", "lab", "bert", **mine).ok()
        cli("workspace", "leave", "lab", **mine).refused(1, "only administrator")
        cli("workspace", "transfer", "lab", "bert", **mine).ok()
        cli("workspace", "member", "remove", "lab", "bert", **mine).refused(1, "may not administer this workspace")
        path = running.folder.write("m.json", json.dumps({
            "id": "c", "name": "x", "algorithm": {"hash": "00" * 32, "user_key": base64.b64encode(KEY).decode()}}))
        created = cli("computation", "create", path, "--workspace", "lab", "--json", **mine)
        assert created.json()["workspace"] == "lab", created.out
        assert [c["id"] for c in cli("computation", "list", "--workspace", "lab", "--json", **mine).json()] == ["c"]
        cli("computation", "list", "--workspace", "default", **mine).refused(1, "no workspace 'default'", "'cocos-cli workspace list'")
        cli("workspace", "member", "add", "lab", "nobody", **socket).refused(1, "no user 'nobody'", "'cocos-cli user list'")
        assert "workspace    lab" in cli("computation", "show", "c", **mine).ok()
        cli("computation", "remove", "c", **mine).ok()
        cli("workspace", "leave", "lab", **mine).ok()
        assert "none" in cli("workspace", "list", **mine).ok()
        cli("workspace", "rename", "lab", "ward", **socket).ok()
        cli("workspace", "remove", "ward", **socket).ok()
        cli("workspace", "remove", "ward", **socket).refused(1, "no workspace 'ward'")


def the_audit_log_says_what_changed():
    with Folder() as folder:
        log = folder("audit.log")
        with service(AUDIT_LOG=log) as running:
            head = lab(running)
            member(running, "anna", "lab")
            head("SuspendMember", workspace="lab", user="anna")
            head("RemoveMember", workspace="lab", user="anna")
            assert head.code("AddWorkspace", name="x") == DENIED
            create(head, "c", "lab")
        with open(log, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if '"done"' in line]
        said = {line["method"].split("/")[1]: line for line in lines}
        assert (said["SuspendMember"]["workspace"], said["SuspendMember"]["user"]) == ("lab", "anna"), said
        assert said["RemoveMember"]["by"] == "head" and said["RemoveMember"]["outcome"] == "OK", said
        assert said["AddWorkspace"]["outcome"] == "PERMISSION_DENIED" and said["AddWorkspace"]["workspace"] == "x", said
        assert said["Create"]["workspace"] == "lab", said


def it_survives_kill_9():
    with service() as running:
        head = lab(running)
        member(running, "anna", "lab", "viewer")
        create(head, "c", "lab")
        running.channel.close()
        running.process.kill()
        running.start()
        again = Caller(running.channel, head.metadata[0][1][7:])
        assert {m.user: m.role for m in again("ListMembers", workspace="lab").members} == {
            "anna": "viewer", "head": "administrator"}
        assert again("Show", id="c").workspace == "lab"


if __name__ == "__main__":
    tap.run([each_role_in_a_workspace_calls_what_it_is_for,
             a_token_for_less_is_for_less_in_workspaces,
             of_another_workspace_nothing_is_there,
             who_is_suspended_there_has_no_rights_until_he_is_resumed,
             an_administrator_of_a_workspace_is_none_of_the_service,
             members_come_and_go,
             what_one_creates_takes_nobody_elses_room,
             who_was_made_an_owner_is_not_held_by_it,
             who_is_in_several_says_where,
             without_users_nothing_is_in_the_way,
             commands_do_all_of_it,
             the_audit_log_says_what_changed,
             it_survives_kill_9])
