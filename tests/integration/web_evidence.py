#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The evidence that agents gave: what the page and the API show of it, to whom, for how long, and that the commands which
the page shows judge the saved files. The evidence is a real TPM's, put together by another hand."""
import contextlib
import hashlib
import html
import json
import os
import re
import shlex
import subprocess

import cli_attested
import computations_attested
import tap
from attested_peer import Identity
from cli_attested import Ak, CertifiedTpm, Evidence
from computations_attested import VTPM, answer, canonical_digest
from computations_service import agent_of, connected, create, run
from harness import PATIENCE, Folder, cli, computations, cvms, program, read, until
from web_fitted import holds
from web_machines import hall
from web_rights import Rights

FILES = ["evidence.eat", "policy.json", "ak.pub"]


def policy_file(files):
    policy = {"cocos": 1, "tpm": {"pcrs": {"sha256": {"4": [TPM.read("sha256", 4).hex()]}}}}
    return files.write("service.json", json.dumps(policy))


@contextlib.contextmanager
def service():
    with Folder() as files:
        path = policy_file(files)
        with Rights(ATTESTATION_POLICY=path, ATTESTATION_AK=AK.at("area"), ATTESTATION_OFFLINE="true") as web:
            web.policy = read(path)
            yield web


def given(agent, evidence, run=False):
    """What the agent was asked, answered; and the bytes that went."""
    asked = agent.next("attestationReq")
    evidence.change["stripped"] = not run
    token = evidence.nonce(VTPM, asked.nonce, b"")
    agent.say(vTPMattestationReport=cvms.AttestationResponse(file=token))
    return asked.nonce, token


def of(web, address, token=None):
    """As the API tells it; None: there is none."""
    got = web.by(address + "/evidence", token) if token else web.ask("/api" + address.removeprefix("/api") + "/evidence")
    assert got.status == 200, got.body
    return got.json()["evidence"]


def started(web, agent, computation, digest=None, more=()):
    """The agent has that computation's manifest, and has given evidence of its run."""
    web.service.admin.Run(computations.RunRequest(id=computation, unverified=True, cvm_id="cvm-1", **dict(more)), timeout=PATIENCE)
    got = agent.manifest()
    agent.say(run_res=cvms.RunResponse(computation_id=computation))
    return given(agent, Evidence(AK, digest or canonical_digest(got), Identity()), run=True)


def commands(page):
    """Those that a page shows, by their ids."""
    found = re.findall(r'<pre id="(\w+)"[^>]*><code>(.*?)</code>', page.body.decode(), re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


def saved(web, address, folder, names):
    """Each file of the page's links, as a browser keeps it."""
    links = web.ask(address).page().links
    for name in names:
        assert address + "/" + name in links, (name, links)
        got = web.ask(address + "/" + name)
        assert got.status == 200 and got.fields["content-type"] == "application/octet-stream"
        assert got.fields["content-disposition"] == f'attachment; filename="{name}"', got.fields
        folder.write(name, got.body)


def typed(web, folder, command):
    """What a shell makes of it, in the folder of the saved files."""
    environment = dict(os.environ, COMPUTATIONS_GRPC_URL="unix:" + web.service.socket,
                       PATH=os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"], HOME=folder.path)
    assert shlex.split(command)[0] == "cocos-cli", command
    done = subprocess.run(["sh", "-c", command], cwd=folder.path, env=environment, capture_output=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def the_bytes_of_a_run_are_shown_and_judged_again():
    """Each command of the page works with the files of the page, and says no of any other."""
    with service() as web, agent_of(web.service) as agent, Folder() as folder:
        web.come_in()
        given(agent, Evidence(AK, bytes(32), Identity()))
        computation = create(web.service, id="c'1")
        address = "/c/c%271"
        assert of(web, address.replace("/c/", "/computations/")) is None
        assert "No evidence" in web.ask(address + "/evidence").page().words()
        assert web.ask(address + "/evidence/evidence.eat").status == 404
        until(connected(web.service, "cvm-1"), "the connection")
        nonce, token = started(web, agent, computation)
        kept = until(lambda: of(web, "/computations/c%271"), "the evidence")
        assert kept["verified"] and kept["verdict"].startswith("verified: vtpm evidence"), kept
        assert kept["nonce"] == nonce.hex() and kept["cvm_id"] == "cvm-1" and kept["attempt"] == 1, kept
        assert [file["name"] for file in kept["files"]] == FILES, kept["files"]
        path = "/api/computations/c%271/evidence"
        holds(web.ask("/api/openapi.json").json(), web.ask(path), path, "Evidence", "EvidenceFile")
        saved(web, address + "/evidence", folder, FILES)
        assert read(folder("evidence.eat")) == token and read(folder("policy.json")) == web.policy
        for file in kept["files"]:
            body = read(folder(file["name"]))
            assert (file["size"], file["sha256"]) == (len(body), hashlib.sha256(body).hexdigest()), file
            api = web.ask("/api/computations/c%271/evidence/" + file["name"])
            assert api.body == body, file
        shown = commands(web.ask(address + "/evidence"))
        assert shown["judge"] == kept["command"] and set(shown) == {"get", "judge"}, shown
        assert typed(web, folder, shown["get"])[0] == 0
        assert hashlib.sha3_256(web.ask(address + "/manifest.json").body).hexdigest() == kept["manifest_digest"]
        status, said = typed(web, folder, shown["judge"])
        assert status == 0 and said.startswith("verified: "), said
        # The manifest as the page gives it does the same.
        folder.write("manifest.json", web.ask(address + "/manifest.json").body)
        assert typed(web, folder, shown["judge"])[0] == 0
        # Any other byte, nonce or manifest is refused.
        status, said = typed(web, folder, shown["judge"].replace(nonce.hex(), "0" * 64))
        assert status != 0 and "refused" in said, said
        folder.write("evidence.eat", token[:-1] + bytes([token[-1] ^ 1]))
        assert typed(web, folder, shown["judge"])[0] != 0
        folder.write("evidence.eat", token)
        other = create(web.service, id="other", name="another")
        cli("computation", "manifest", other, COMPUTATIONS_GRPC_URL="unix:" + web.service.socket).ok()
        folder.write("manifest.json", web.ask("/c/other/manifest.json").body)
        status, said = typed(web, folder, shown["judge"])
        assert status != 0 and "run.manifest" in said, said


def a_cvm_s_is_from_before_its_run():
    """Judged without a run statement; gone with the next connection."""
    with service() as web, Folder() as folder:
        web.come_in()
        with agent_of(web.service) as agent:
            nonce, token = given(agent, Evidence(AK, bytes(32), Identity()))
            kept = until(lambda: of(web, "/cvms/cvm-1"), "the evidence")
            assert kept["verified"] and "no manifest yet" in kept["verdict"] and "manifest_digest" not in kept, kept
            path = "/api/cvms/cvm-1/evidence"
            holds(web.ask("/api/openapi.json").json(), web.ask(path), path, "Evidence")
            assert "/cvms/cvm-1/evidence" in web.ask("/cvms/cvm-1").page().links
            saved(web, "/cvms/cvm-1/evidence", folder, FILES)
            assert read(folder("evidence.eat")) == token
            shown = commands(web.ask("/cvms/cvm-1/evidence"))
            assert set(shown) == {"judge"} and nonce.hex() in shown["judge"] and "--before-run" in shown["judge"], shown
            status, said = typed(web, folder, shown["judge"])
            assert status == 0 and "no manifest yet" in said, said
            status, said = typed(web, folder, shown["judge"] + " --manifest policy.json")
            assert status == 2 and "--before-run and --manifest" in said, said
            status, said = typed(web, folder, shown["judge"].replace(" --before-run", ""))
            assert status == 1 and "run.statement" in said, said
        until(lambda: not connected(web.service, "cvm-1")(), "the end of the connection")
        with agent_of(web.service) as agent:
            until(connected(web.service, "cvm-1"), "the connection")
            assert of(web, "/cvms/cvm-1") is None
            given(agent, Evidence(OTHER_AK, bytes(32), Identity()))
            kept = until(lambda: of(web, "/cvms/cvm-1"), "the evidence")
            assert not kept["verified"] and "ak.named" in kept["verdict"], kept
            saved(web, "/cvms/cvm-1/evidence", folder, FILES)
            status, said = typed(web, folder, kept["command"])
            assert status != 0 and "ak.named" in said, said


def an_answer_without_evidence_takes_the_last_one_away():
    with service() as web, agent_of(web.service) as agent:
        web.come_in()
        given(agent, Evidence(AK, bytes(32), Identity()))
        computation = create(web.service, id="c")
        until(lambda: of(web, "/cvms/cvm-1"), "the evidence")
        started(web, agent, computation)
        until(lambda: of(web, "/computations/c"), "the evidence")
        agent.say(run_res=cvms.RunResponse(computation_id=computation))  # asked once more
        agent.next("attestationReq")
        agent.say(vTPMattestationReport=cvms.AttestationResponse(error="no TPM any more"))
        until(lambda: of(web, "/computations/c") is None, "the end of the evidence")
        assert of(web, "/cvms/cvm-1"), "that of its CVM is another"


def freed(web, agent):
    """Of a computation that was removed while it held it."""
    agent.next("stopComputation")
    agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
    request = computations.CvmRequest(id="cvm-1")
    until(lambda: not web.service.admin.ShowCvm(request, timeout=PATIENCE).computation_id, "the free CVM")


def a_later_run_of_the_same_id_has_none_of_the_last_one():
    """Removed and created again; run again; and an answer that comes when its run has gone."""
    with service() as web, agent_of(web.service) as agent:
        web.come_in()
        given(agent, Evidence(AK, bytes(32), Identity()))
        until(connected(web.service, "cvm-1"), "the connection")
        create(web.service, id="c")
        started(web, agent, "c")
        first = until(lambda: of(web, "/computations/c"), "the evidence")
        web.service.admin.Remove(computations.RemoveRequest(id="c", force=True), timeout=PATIENCE)
        assert web.ask("/api/computations/c/evidence").status == 404
        freed(web, agent)
        create(web.service, id="c")
        for address in ("/api/computations/c/evidence", "/c/c/evidence"):
            assert first["nonce"].encode() not in web.ask(address).body
            assert web.ask(address + "/evidence.eat").status == 404
        assert of(web, "/computations/c") is None
        # The next one's is its own; again after it failed, it is none of the attempt before.
        nonce, _ = started(web, agent, "c")
        second = until(lambda: of(web, "/computations/c"), "the evidence")
        assert second["nonce"] == nonce.hex() != first["nonce"]
        # Its state is asked for once more: a peer that says behind a failure that it is free has no computation to stop.
        agent.next("agentStateReq")
        agent.event("c", "Failed", "Failed")
        web.service.until_state("c", "Failed")
        web.service.admin.Stop(computations.ComputationRequest(id="c"), timeout=PATIENCE)
        agent.next("stopComputation")
        agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
        until(lambda: not web.service.show("c").stopping, "the confirmation")
        assert of(web, "/computations/c")["nonce"] == second["nonce"], "what failed keeps its own"
        web.service.admin.Run(computations.RunRequest(id="c", again=True, unverified=True, cvm_id="cvm-1"), timeout=PATIENCE)
        assert of(web, "/computations/c") is None
        got = agent.manifest()
        agent.say(run_res=cvms.RunResponse(computation_id="c"))
        asked = agent.next("attestationReq")
        # Its run is removed while it answers.
        web.service.admin.Remove(computations.RemoveRequest(id="c", force=True), timeout=PATIENCE)
        freed(web, agent)
        create(web.service, id="c")
        late = Evidence(AK, canonical_digest(got), Identity())
        agent.say(vTPMattestationReport=cvms.AttestationResponse(file=late.nonce(VTPM, asked.nonce, b"")))
        cvm = until(lambda: next((c for c in [web.service.admin.ShowCvm(computations.CvmRequest(id="cvm-1"), timeout=PATIENCE)]
                                  if c.HasField("judged")), None), "the verdict")
        assert cvm.verdict and of(web, "/computations/c") is None
        assert asked.nonce.hex() != (of(web, "/cvms/cvm-1") or {"nonce": ""})["nonce"]


def only_who_may_see_it_does():
    """Each address, by members, viewers, strangers and nobody: a CVM's for the service's administrators."""
    with service() as web, agent_of(web.service) as agent:
        given(agent, Evidence(AK, bytes(32), Identity()))
        until(connected(web.service, "cvm-1"), "the connection")
        create(web.service, id="c")
        started(web, agent, "c")
        viewer, stranger, administrator = web.user("viewer"), web.user("stranger"), web.user("root", administrator=True)
        web.root("GiveRole", computation_id="c", role="viewer", user="viewer")
        until(lambda: of(web, "/api/computations/c", viewer), "the evidence")
        until(lambda: of(web, "/api/cvms/cvm-1", administrator), "the evidence")
        for place, seen in (("c/c", (200, 404)), ("api/computations/c", (200, 404)), ("cvms/cvm-1", (403, 403)),
                            ("api/cvms/cvm-1", (403, 403))):
            for file in ("", *("/" + name for name in FILES)):
                path = f"/{place}/evidence{file}"
                assert (web.status(path, viewer), web.status(path, stranger)) == seen, path
                assert web.status(path, administrator) == 200, path
                assert web.status(path, None) == 401, path
            for file in ("root.crt", "x", "evidence.eat%00", "..", "%2e%2e", "policy.json%2f"):
                assert web.status(f"/{place}/evidence/{file}", administrator) in (400, 404), file
        web.root("TakeRole", computation_id="c", role="viewer", user="viewer")
        for file in ("", *("/" + name for name in FILES)):
            assert web.status("/c/c/evidence" + file, viewer) == 404
        assert "c/c/evidence" not in json.dumps(web.by("/api/computations", viewer).json())


def a_workspace_s_cvm_shows_its_own_to_members():
    """Before its agent came and after it was removed there is none; that of a run is its computation's."""
    with Folder() as files, hall(ATTESTATION_POLICY=policy_file(files), ATTESTATION_AK=AK.at("area"), ATTESTATION_OFFLINE="true") as room:
        room.put("administrator", "one")
        cvm = until(lambda: room.played.created, "its manager made it")[0][1]
        place = "/w/default/cvms/one"
        member = room.sessions["member"]
        assert "No evidence" in member.get(place + "/evidence").page().words()
        assert room.call("GET", "/api/workspaces/default/cvms/one/evidence", room.tokens["member"]).json() == {"evidence": None}
        with agent_of(room.service, cvm) as agent:
            nonce, token = given(agent, Evidence(AK, bytes(32), Identity()))
            path = "/api/workspaces/default/cvms/one/evidence"
            kept = until(lambda: room.call("GET", path, room.tokens["member"]).json()["evidence"], "the evidence")
            document = room.call("GET", "/api/openapi.json", room.tokens["member"]).json()
            holds(document, room.call("GET", path, room.tokens["member"]), path, "Evidence")
            assert kept["verified"] and kept["cvm_id"] == cvm and kept["nonce"] == nonce.hex(), kept
            assert place + "/evidence" in member.get(place).page().links
            shown = member.get(place + "/evidence")
            for name in FILES:
                assert place + "/evidence/" + name in shown.page().links, name
                files.write(name, member.get(place + "/evidence/" + name).body)
            assert read(files("evidence.eat")) == token
            assert place in shown.page().links and "/w/default/cvms" in shown.page().links
            assert commands(shown) == {"judge": kept["command"]}
            status, said = typed(room, files, kept["command"])
            assert status == 0 and "no manifest yet" in said, said
            for file in ("", *("/" + name for name in FILES)):
                for where in (place, "/api/workspaces/default/cvms/one"):
                    statuses = [room.call("GET", where + "/evidence" + file, room.tokens.get(who)).status
                                for who in ("viewer", "administrator", "chief", "outsider", None)]
                    assert statuses == [200, 200, 200, 404, 401], (where, file, statuses)
            assert room.call("GET", "/w/lab/cvms/one/evidence", room.tokens["outsider"]).status == 404
            assert room.call("GET", place + "/evidence/root.crt", room.tokens["viewer"]).status == 404
            # Who may see the computation that it holds is led to that run's.
            create(room.service, id="c")
            room.root("GiveRole", computation_id="c", role="viewer", user="member")
            room.service.admin.Run(computations.RunRequest(id="c", unverified=True, cvm_id=cvm), timeout=PATIENCE)
            agent.manifest()
            assert "/c/c/evidence" in member.get(place).page().links
            assert "/c/c/evidence" not in room.sessions["viewer"].get(place).page().links
        room.root("RemoveCvm", workspace="default", name="one", force=True)
        assert "evidence" not in " ".join(member.get(place).page().links)
        assert "No evidence" in member.get(place + "/evidence").page().words()
        assert member.get(place + "/evidence/evidence.eat").status == 404


def evidence_outlives_a_restart_and_keeps_its_policy():
    """What it was judged by stays with it when the service has another policy."""
    with service() as web, Folder() as folder:
        web.come_in()
        with agent_of(web.service) as agent:
            given(agent, Evidence(AK, bytes(32), Identity()))
            until(connected(web.service, "cvm-1"), "the connection")
            create(web.service, id="c")
            _, token = started(web, agent, "c")
            kept = until(lambda: of(web, "/computations/c"), "the evidence")
        web.service.__exit__()
        folder.write("other.json", json.dumps({"cocos": 1, "tpm": {"pcrs": {"sha256": {"4": ["00" * 32]}}}}))
        web.service.settings["COMPUTATIONS_ATTESTATION_POLICY"] = folder("other.json")
        web.service.start()
        found = web.service.process.wait_line(r"page: port (\d+) of this machine; .*--unix-socket (\S+) ")
        web.port, web.socket = int(found[1]), found[2]
        web.come_in()
        assert of(web, "/computations/c") == kept
        assert web.ask("/c/c/evidence/policy.json").body == web.policy
        assert web.ask("/c/c/evidence/evidence.eat").body == token


def what_is_too_large_is_judged_and_not_kept():
    with service() as web, agent_of(web.service) as agent:
        web.come_in()
        asked = agent.next("attestationReq")
        agent.say(vTPMattestationReport=cvms.AttestationResponse(file=bytes(1 << 20)))
        cvm = until(lambda: next((c for c in [web.service.admin.ShowCvm(computations.CvmRequest(id="cvm-1"), timeout=PATIENCE)]
                                  if c.HasField("judged")), None), "a verdict")
        assert asked.nonce and cvm.verdict.startswith("refused: "), cvm.verdict
        assert of(web, "/cvms/cvm-1") is None  # with its policy it is over the limit
        web.service.process.wait_line("is not kept")


def without_a_policy_the_page_says_so():
    with Rights() as web:
        web.come_in()
        create(web.service, id="c")
        assert "no policy" in web.ask("/c/c/evidence").page().words()
        assert of(web, "/computations/c") is None


if __name__ == "__main__":
    TPM = cli_attested.TPM = computations_attested.TPM = CertifiedTpm()
    with contextlib.ExitStack() as stack:
        stack.callback(TPM.remove)
        AK, OTHER_AK = Ak(TPM, "ak"), Ak(TPM, "other")
        tap.run([
            the_bytes_of_a_run_are_shown_and_judged_again,
            a_cvm_s_is_from_before_its_run,
            an_answer_without_evidence_takes_the_last_one_away,
            a_later_run_of_the_same_id_has_none_of_the_last_one,
            only_who_may_see_it_does,
            a_workspace_s_cvm_shows_its_own_to_members,
            evidence_outlives_a_restart_and_keeps_its_policy,
            what_is_too_large_is_judged_and_not_kept,
            without_a_policy_the_page_says_so,
        ])
