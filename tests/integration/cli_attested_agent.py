# SPDX-License-Identifier: Apache-2.0
"""Our command line with our agent over attested TLS, from the algorithm to the results: simulated SEV-SNP
and TDX, and a TPM of software, whose key is named or certified; and a machine that changes midway."""
import contextlib
import json

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, SUM, USER_KEY, unzip
from agent_peer import Agent, Key, free_port, pem_key
from agent_tpm import canonical
from attested_agent import attested
from cli_attested import CertifiedTpm
from computations_service import connected, create
from harness import PATIENCE, Computations, Folder, cli, computations, cvms, read, until
from teesim import MEASUREMENT, Teesim


class Owners(Folder):
    """The folder of those who own algorithm and data, with what they expect of an agent."""

    def __init__(self, machine, policy, trust):
        super().__init__()
        self.machine, self.policy, self.trust = machine, policy, trust

    def __enter__(self):
        super().__enter__()
        for name, key in (("algo", ALGO_KEY), ("data", DATA_KEY), ("user", USER_KEY)):
            self.write(f"{name}.pem", pem_key(key.key), 0o600)
        self.write("sum", SUM)
        self.write("iris.csv", IRIS)
        self.write("manifest.json", canonical(self.machine.manifest))
        self.write("policy.json", json.dumps({"cocos": 1, **self.policy}))
        return self

    def run(self, *arguments, policy="policy.json", trust=None):
        return cli(*arguments, "--attestation-policy", self(policy), "--manifest",
                   self("manifest.json"), "--offline", *(self.trust if trust is None else trust),
                   cwd=self.path, AGENT_GRPC_URL=f"127.0.0.1:{self.machine.port}",
                   AGENT_GRPC_ATTESTED_TLS="true", XDG_CACHE_HOME=self("cache"))

    def job(self):
        """From the algorithm to the results; what was said of the agent."""
        said = self.run("algo", "sum", "algo.pem")
        assert "accepted" in said.ok(), said.err
        self.run("data", "iris.csv", "data.pem").ok()
        self.machine.service.wait_event("ConsumingResults/Ready")
        self.run("result", "user.pem", "-f", "r.zip").ok()
        assert unzip(read(self("r.zip")))["all.txt"] == IRIS
        return said.err


@contextlib.contextmanager
def owners_with_tee(kind, policy):
    with Folder() as folder, Teesim(folder, kind) as tee, \
            attested("--tsm", tee.mount) as machine:
        trust = ["--trusted_root", tee.root, *tee.endorsement_options]
        with Owners(machine, policy(tee) if callable(policy) else policy, trust) as owners:
            yield tee, owners


SNP = {"snp": {"measurements": [MEASUREMENT]}, "run": {"weak_words": ["development"]}}


def tdx_policy(tee):
    """RTMR3 holds what this agent has measured since."""
    with open(tee.register("rtmr3:sha384"), "rb") as file:
        rtmr3 = file.read().hex()
    return {"tdx": {"mrtd": [MEASUREMENT], "rtmr3": [rtmr3],
                    **{f"rtmr{i}": ["00" * 48] for i in range(3)}},
            "run": {"weak_words": ["development"]}}


def a_job_over_simulated_snp():
    with owners_with_tee("snp", SNP) as (_, owners):
        said = owners.job()
        assert said.startswith("SIMULATED verified: snp evidence"), said


def a_job_over_simulated_tdx():
    with owners_with_tee("tdx", tdx_policy) as (_, owners):
        said = owners.job()
        assert said.startswith("SIMULATED verified: tdx evidence"), said


def another_image_gets_nothing():
    with owners_with_tee("snp", SNP) as (_, owners):
        owners.write("other.json", json.dumps({"cocos": 1, **SNP,
                                               "snp": {"measurements": ["b6" * 48]}}))
        for arguments in (("algo", "sum", "algo.pem"), ("data", "iris.csv", "data.pem"),
                          ("result", "user.pem"), ("status",)):
            ran = owners.run(*arguments, policy="other.json")
            assert ran.status == 1 and "policy.measurement" in ran.err, ran.err
        assert "received" not in owners.run("status").ok()


def a_refused_key_is_told_what_it_is_for():
    """Each for its holder alone, with what to do."""
    with owners_with_tee("snp", SNP) as (_, owners):
        def refused(words, hint, *arguments):
            ran = owners.run(*arguments)
            assert ran.status == 1 and words in ran.err and hint in ran.err, ran.err
        owners.write("stranger.pem", pem_key(Key().key), 0o600)
        refused("not signed by the algorithm's provider: by the manifest your key is for dataset 'iris.csv'",
                "hint: give what your key is for", "algo", "sum", "data.pem")
        refused("not signed by the algorithm's provider: the manifest does not name your key",
                "hint: give the private key that you agreed on", "algo", "sum", "stranger.pem")
        owners.run("algo", "sum", "algo.pem").ok()
        refused("'iris.csv': not signed by its owner: by the manifest your key is for results",
                "or the key of what you gave", "data", "iris.csv", "user.pem")
        refused("'iris.csv': not signed by its owner: the manifest does not name your key",
                "openssl pkey -in PRIVATE_KEY -pubout", "data", "iris.csv", "stranger.pem")
        owners.run("data", "iris.csv", "data.pem").ok()
        owners.machine.service.wait_event("ConsumingResults/Ready")
        refused("not signed by a consumer that the manifest names: by the manifest your key is for the "
                "algorithm", "hint: give what your key is for", "result", "algo.pem")
        refused("by a consumer that the manifest names: the manifest does not name your key",
                "hint: give the private key", "result", "stranger.pem")
        owners.run("result", "user.pem", "-f", "r.zip").ok()


def without_the_simulators_root_it_is_nobodys_hardware():
    with owners_with_tee("snp", SNP) as (tee, owners):
        ran = owners.run("status", trust=tee.endorsement_options)
        assert ran.status == 1 and "chain." in ran.err, ran.err


def hardware_that_is_not_what_it_was_gets_nothing():
    faults = {"wrong-signature": "signature.", "wrong-key": "", "other-chip": "",
              "other-measurement": "policy.measurement", "other-report-id": "run.same_report_id",
              "tcb-change": "", "tcb-claim": "", "debug": "policy."}
    with owners_with_tee("snp", SNP) as (tee, owners):
        for fault, check in faults.items():
            tee.fault(fault)
            ran = owners.run("algo", "sum", "algo.pem")
            print(f"# {fault}: {ran.err.splitlines()[0] if ran.err else 'accepted'}")
            assert ran.status == 1 and "attestation: " + check in ran.err, ran.err
        tee.fault("truncated")  # the agent itself does not believe it, and hangs up
        ran = owners.run("algo", "sum", "algo.pem")
        assert ran.status == 1 and "before it sent evidence; its log says why" in ran.err, ran.err
        tee.fault()
        assert "received" not in owners.run("status").ok()


def a_job_over_a_tpm_whose_key_is_certified_by_activation():
    tpm = CertifiedTpm()
    try:
        policy = {"tpm": {"pcrs": {"sha256": {"4": [tpm.read("sha256", 4).hex()]}}}}
        with attested("--tcti", tpm.tcti, development=False) as machine, \
                Owners(machine, policy, ["--ek_root", tpm.root, "--CA_bundles_paths",
                                         tpm.issuer]) as owners:
            said = owners.job()
            assert said.startswith("SIMULATED verified: vtpm evidence"), said
            assert "operator trusted" in said and "EK chains to the root" in said, said
            ran = owners.run("status", trust=[])
            assert ran.status == 1 and "ak.binding" in ran.err, ran.err
    finally:
        tpm.remove()


def our_service_verifies_our_agent_before_and_after_the_manifest():
    with Folder() as folder, Teesim(folder, "snp") as tee:
        folder.write("policy.json", json.dumps({"cocos": 1, **SNP}))
        with Computations(folder, ATTESTATION_POLICY=folder("policy.json"),
                          ATTESTATION_ROOT=tee.root, ATTESTATION_OFFLINE="true") as service:
            agent = Agent(service, options=["--tsm", tee.mount])
            try:
                def shown():
                    return service.admin.ShowCvm(computations.CvmRequest(id="cvm-1"),
                                                 timeout=PATIENCE)
                until(connected(service, "cvm-1"), "the connection")
                until(lambda: shown().verified, "the verdict")
                assert shown().verdict.startswith("SIMULATED verified: snp"), shown().verdict
                assert "no manifest yet" in shown().verdict
                computation = create(service, agent_config=cvms.AgentConfig(
                    port=str(free_port())))
                service.admin.Run(computations.RunRequest(id=computation), timeout=PATIENCE)
                until(lambda: "no manifest yet" not in shown().verdict and
                      "awaited" not in shown().verdict, "the second verdict")
                assert shown().verified, shown().verdict
                service.until_state(computation, "Waiting for Algorithm")
            except BaseException:
                print("#", shown().verdict)
                raise
            finally:
                agent.remove()


if __name__ == "__main__":
    tap.run([
        a_job_over_simulated_snp,
        a_job_over_simulated_tdx,
        another_image_gets_nothing, a_refused_key_is_told_what_it_is_for,
        without_the_simulators_root_it_is_nobodys_hardware,
        hardware_that_is_not_what_it_was_gets_nothing,
        a_job_over_a_tpm_whose_key_is_certified_by_activation,
        our_service_verifies_our_agent_before_and_after_the_manifest,
    ])
