# SPDX-License-Identifier: Apache-2.0
"""A service with something of everything, everybody there could be, and who may do what there, by docs/rest.md's own words and no
code of the project: the sentence that the API's document has with each operation, and what operators.md says of roles."""
import contextlib
import itertools
import re
import sqlite3

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from computations_service import KEY, connected, manifest
from harness import PATIENCE, FakeAgent, computations, cvms, until
from people import ALL, ROLES, Caller
from web_machines import POLICY, WISH, hall
from workflow_parties import Running, Submitter, node, raw

LINES = "limit * cvms=400 cpus=4000 memory=4000G\nplan small cpu-hours=10\nplan large cpu-hours=1000\n"
LEVELS = ["", "viewer", "member", "administrator"]
OPERATES = {"view", "edit", "run", "administrator"}  # whoever administers the service or a workspace is no party
WHOLE = ", with a session, or a token for all actions."
SERIAL = "0" * 31 + "1"
STATES = ("created", "waiting", "running", "completed", "failed", "cancelled")
EVENTS = {"waiting": [("ReceivingAlgorithm", "InProgress")], "running": [("Running", "InProgress")], "failed": [("Failed", "Failed")],
          "completed": [("Running", "Completed"), ("ConsumingResults", "Ready"), ("Complete", "Completed")]}


class Agent(FakeAgent):
    """One that wipes what it is told to stop."""

    def __init__(self, *about, **more):
        super().__init__(*about, **more)
        self.put, self.heard.put = self.heard.put, self.hears

    def hears(self, message):
        if isinstance(message, cvms.ServerStreamMessage) and message.WhichOneof("message") == "stopComputation":
            self.say(stop_computation_res=cvms.StopComputationResponse(computation_id=message.stopComputation.computation_id))
        self.put(message)


class Who:
    """One who asks: by a token for some actions alone, or by none that is good."""

    def __init__(self, level="member", role=None, scope=ALL, is_known=True, workspace="default", **of_service):
        self.level, self.workspace, self.role, self.scope, self.is_known = level, workspace, role, {*scope}, is_known
        self.operates, self.audits = of_service.get("administrator", False), of_service.get("auditor", False)
        self.of_service, self.token, self.user = of_service, None, None

    def actions(self, is_here):
        """That he has in the computation, which is in `default`."""
        has = {*({**ROLES, "own": OWN}[self.role] if self.role and is_here else [])}
        has = has if self.level in ("member", "administrator") else has & {"view"} if self.level == "viewer" else set()
        if self.operates or (self.level == "administrator" and is_here == (self.workspace == "default")):
            has |= OPERATES
        return has & self.scope

    def may(self, words, is_here=True, owns=False):
        """By the document's sentence; None: it is one that this does not know."""
        if words.endswith(WHOLE):
            return self.scope == {*ALL} and self.may(words.removesuffix(WHOLE) + ".", is_here, owns)
        if words == "For every user.":
            return self.is_known
        found = re.fullmatch(r"For who administers the service \(“(\w+)”\)(, or audits it \(“view”\))?\.", words)
        if found:
            return self.is_known and ((self.operates and found[1] in self.scope) or
                                      bool(found[2] and self.audits and "view" in self.scope))
        found = re.fullmatch(r"For whom a role in the computation, or its workspace, allows “(\w+)”\.", words)
        if found:
            return self.is_known and {found[1], "view"} <= self.actions(is_here)
        found = re.fullmatch(r"For who is at least (\w+) in the workspace \(“(\w+)”\)(, and whose it is or who administers that)?\.", words)
        if not found:
            return None
        level = LEVELS.index(self.level if is_here == (self.workspace == "default") else "")
        if found[3] and not (owns or level == LEVELS.index("administrator") or self.operates):
            return False
        return self.is_known and {found[2], "view"} <= self.scope and (self.operates or level >= LEVELS.index(found[1]))


OWN = ["view", "run", "algo_provider"]


def everybody():
    """By name; whose names end in what their token is for."""
    return {
        **{role: Who(role=role) for role in ROLES}, "custom": Who(role="own"), "roleless": Who(),
        "looker": Who("viewer"), "looker-owner": Who("viewer", "owner"), "governor": Who("administrator"),
        "outsider": Who("administrator", workspace="lab"), "chief": Who("", administrator=True), "auditor": Who("viewer", auditor=True),
        "owner-view": Who(role="owner", scope=["view"]), "owner-edit": Who(role="owner", scope=["view", "edit"]),
        "governor-edit": Who("administrator", scope=["view", "edit"]), "governor-run": Who("administrator", scope=["view", "run"]),
        "chief-view": Who("", scope=["view"], administrator=True), "chief-administrator": Who("", scope=["view", "administrator"], administrator=True),
        "away": Who("", role="owner"), "suspended": Who(role="owner", is_known=False), "revoked": Who(role="owner", is_known=False),
        "forged": Who(is_known=False), "nobody": Who(is_known=False),
    }


class World:
    """In a `with`. `mend()` puts things back as they were, whatever a call has done."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.room = stack.enter_context(hall(LINES))
            self.room.played.policy = POLICY
            self.root, self.who, self.fresh = self.room.root, everybody(), itertools.count(1)
            self.addresses = (f"127.{a}.{b}.1" for a, b in itertools.product(range(1, 255), repeat=2))
            self.agents = {state: stack.enter_context(Agent(f"127.0.0.1:{self.room.service.port}", "cvm-" + state)) for state in STATES}
            for state in STATES:
                until(connected(self.room.service, "cvm-" + state), "the connection")
            for name, who in self.who.items():
                self.come(name, who)
            self.make()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *about):
        return self.stack.__exit__(*about)

    # ---- people ----

    def come(self, name, who):
        who.user = "u-" + name
        self.root("AddUser", name=who.user, workspace=who.workspace, **who.of_service)
        if who.workspace == "lab":
            self.root("SetMember", workspace="lab", user=who.user, role=who.level)
        if name == "nobody":
            return
        if name == "forged":
            who.token = "cocos_" + "0" * 64
            return
        who.token = self.root("AddToken", user=who.user, name="t", actions=[] if who.scope == {*ALL} else who.scope).token
        if name == "revoked":
            self.root("RevokeToken", user=who.user, name="t")

    def members(self):
        """Who is what in `default`: 'away' is suspended there alone."""
        return {who.user: "administrator" if name == "away" else who.level or "viewer" for name, who in self.who.items()
                if who.workspace == "default" and not who.operates}

    def put_people_back(self):
        names = {w.name for w in self.root("ListWorkspaces").workspaces}
        for name in names - {"default", "lab"}:
            gone = {"default", "lab"} - names
            if gone:
                self.root("RenameWorkspace", name=name, to=gone.pop())
            else:
                self.root("RemoveWorkspace", name=name)
        there = {m.user: m for m in self.root("ListMembers", workspace="default").members}
        # Who administers it first: there is always one.
        for user, role in sorted(self.members().items(), key=lambda row: row[1] != "administrator"):
            if user not in there:
                self.root("AddMember", workspace="default", user=user, role=role)
            elif there[user].role != role:
                self.root("SetMember", workspace="default", user=user, role=role)
            is_away = user == "u-away"
            if user not in there or there[user].suspended != is_away:
                self.root("SuspendMember", workspace="default", user=user, resume=not is_away)
        for member in self.root("ListMembers", workspace="lab").members:
            if member.user not in ("outsider", "u-outsider"):
                self.root("RemoveMember", workspace="lab", user=member.user)
        if not self.is_suspended:
            self.root("SuspendUser", name="u-suspended")
            self.is_suspended = True

    def put_tokens_back(self, who):
        names = {t.name for t in self.root("ListTokens", name=who.user).tokens}
        if "t" not in names:
            who.token = self.root("AddToken", user=who.user, name="t", actions=[] if who.scope == {*ALL} else who.scope).token
        if "spare" not in names:
            self.root("AddToken", user=who.user, name="spare")
        for other in names - {"t", "spare"}:
            self.root("RevokeToken", user=who.user, name=other)

    # ---- things ----

    def make(self):
        self.is_suspended = False
        self.submitter = Submitter(Running(self.room.service.channel, self.root), "submitter")
        self.workflow = self.submitter.submit([node("a"), node("b", "a")], {"t": [raw(X25519PrivateKey.generate())]}, name="two").id
        with self.database() as database:
            database.execute("INSERT INTO certificates (serial, name, role, days, maker, created, until, issued, key, authority, revoked, line)"
                             " VALUES (?1, 'cvm-1', 'agent', 1, '', 1, 9999999999999, 1, ?2, ?2, 0, ?1)", (SERIAL, "0" * 64))
        self.mend()
        for console in [*self.room.played.consoles.values()]:
            console.say(b"begun")

    @contextlib.contextmanager
    def database(self):
        path = self.room.service.folder("state") + "/computations.db"
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
            yield database
            database.commit()

    def computation(self, state):
        """One in that state, whose roles are all given."""
        self.root("Create", computations.CreateRequest(manifest=manifest(id=state, name="one " + state)))
        self.root("DefineRole", computation_id=state, role="own", actions=OWN)
        self.root("DefineRole", computation_id=state, role="old", actions=["view"])
        self.root("SuspendMember", workspace="default", user="u-away", resume=True)
        for who in self.who.values():
            if who.role:
                self.root("GiveRole", computation_id=state, role=who.role, user=who.user)
        self.root("SuspendMember", workspace="default", user="u-away")
        self.root("GiveRole", computation_id=state, role="viewer", user="member")
        if state == "created":
            return
        agent = self.agents[state]
        until(lambda: self.root.code("Run", id=state, cvm_id=agent.cvm) is None, f"{agent.cvm} to be free")
        agent.manifest()
        for event in EVENTS.get(state, []):
            agent.event(state, *event)
        if state == "cancelled":
            self.root("Stop", id=state)
        wanted = {"waiting": "Waiting for Algorithm"}.get(state, state.capitalize())
        until(lambda: self.root("Show", id=state).state == wanted, f"{state} to be {wanted}")

    def put_computations_back(self, *states):
        """`states`: of those that are made anew."""
        there = {c.id for c in self.root("List").computations}
        for name in there - {*STATES, "hers"} | ({*states} & there):
            self.root("Remove", id=name, force=True)
        if "hers" not in there:
            self.root("Create", computations.CreateRequest(manifest=manifest(id="hers", name="hers"), workspace="lab"))
        for state in STATES:
            if state not in there or state in states:
                self.computation(state)

    def put_things_back(self):
        chief = self.room.tokens["chief"]
        for who, path, name, body in (
                (self.who["owner"].token, "/api/workspaces/default/assets", "iris.csv", {"name": "iris.csv", "type": "dataset", "digest": "ab" * 32}),
                (chief, "/api/billing/acme", None, {"plan": "small"})):
            if self.room.call("GET", path + (f"/{name}" if name else ""), chief).status == 404:
                self.room.call("POST" if name else "PUT", path, who, body)
        self.room.call("DELETE", "/api/workspaces/default/assets/made", chief)
        self.room.call("DELETE", "/api/billing/acme/workspaces/lab", chief)
        with self.database() as database:
            database.execute("UPDATE certificates SET revoked = 0")
        machines = {m.name: m.state for m in self.root("ListMachines", workspace="default").machines}
        if machines.get("box", "Removed") not in ("Provisioning", "Ready"):
            self.room.call("PUT", "/api/workspaces/default/cvms/box", chief, WISH)
        self.webhook = self.first("webhooks", {"url": "https://hooks.example.org/cocos", "events": ["computation.created"]})
        self.invitation = self.first("invitations", {"role": "viewer"})

    def mend(self, path="/", who=None, state="created"):
        """What a call of that path may have changed. `who` has called."""
        if path == "/":
            for each in self.who.values():
                if each.token and each.is_known:
                    self.put_tokens_back(each)
        elif path.startswith("/api/me"):
            self.put_tokens_back(who)
        if re.match(r"/($|api/workspaces($|/[^/]*($|/members|/leave))|api/invitations)", path):
            self.put_people_back()
        if re.match(r"/($|api/computations|.*/imports)", path):
            self.put_computations_back(*([state] if path.count("/") > 2 else []))
        if not re.match("/api/(computations|me|invitations)", path):
            self.put_things_back()
        return self

    def new_invitation(self):
        """Its secret, of the other workspace."""
        return self.root("Invite", workspace="lab", role="viewer").path.rpartition("/")[2]

    def first(self, what, body):
        """The number of one that is there."""
        path, chief = f"/api/workspaces/default/{what}", self.room.tokens["chief"]
        for _ in range(2):
            there = self.room.call("GET", path, chief).json()[what]
            open_ = [each["number"] for each in there if not each.get("taker")]
            for number in open_[3:]:
                self.room.call("DELETE", f"{path}/{number}", chief)
            if open_:
                return open_[0]
            made = self.room.call("POST", path, chief, body)
            assert made.status == 201, made.body
        raise AssertionError(what)
