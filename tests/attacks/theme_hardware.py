# SPDX-License-Identifier: Apache-2.0
"""A host that stands before a real agent's TEE device: it answers the agent's questions itself, with
the evidence of other machines, of other moments, or of its own making. (What is simulated is the
hardware; the agent and the owner's command are the ones that people use.)"""
from honest_agent import attempt_with, tdx_policy, tdx_site, waiting
from rows import row


def misbehaving(fault, check, about):
    """A row: the hardware's word from the moment of the upload on; the run statement was made before."""
    def attempt(evil):
        return attempt_with(*([fault] if evil else []))
    attempt.__doc__, attempt.__module__ = about, __name__
    row("hardware-" + fault, check)(attempt)


def misbehaving_tdx(fault, check, about):
    """The same for TDX: quotes, Intel's collateral, RTMRs."""
    def attempt(evil):
        here = waiting(tdx_site())
        return attempt_with(*([fault] if evil else []), here=here, policy=tdx_policy(here),
                            options=here.tee.endorsement_options)
    attempt.__doc__, attempt.__module__ = about, __name__
    row("tdx-" + fault, check)(attempt)


misbehaving("wrong-signature", "signature.report", "A report with one bit of its signature changed.")
misbehaving("wrong-key", "signature.report", "A report signed by a key that nobody certified.")
misbehaving("wrong-report-data", "another request's report", "A genuine report that was made for somebody else.")
misbehaving("stale-report", "another request's report", "The genuine report of the question before.")
misbehaving("stale-generation", "configfs-tsm", "Somebody else writes his question between ours and the answer.")
misbehaving("other-chip", "run.same_chip", "A genuine report of another chip than the run statement's.")
misbehaving("other-measurement", "policy.measurement", "A genuine report of another image.")
misbehaving("other-report-id", "run.same_report_id", "A genuine report of another launch.")
misbehaving("other-host-data", "policy.host_data", "A report of a launch with another HOST_DATA.")
misbehaving("tcb-claim", "binding.tcb", "A report that claims newer firmware than is certified.")
misbehaving("debug", "policy.debug", "A report of a guest whose memory the host can read.")
misbehaving("other-vmpl", "policy.vmpl", "A report of a less privileged level.")
misbehaving("truncated", "configfs-tsm", "Half of a report.")
misbehaving("trailing", "configfs-tsm", "A report and a byte.")
misbehaving("busy", "configfs-tsm", "No report at all.")

misbehaving_tdx("wrong-signature", "signature.quote", "A quote with one bit of its signature changed.")
misbehaving_tdx("wrong-key", "signature.qe_report_data", "A quote by an attestation key that no enclave vouches for.")
misbehaving_tdx("wrong-report-data", "another request's", "A quote that was made for somebody else.")
misbehaving_tdx("other-measurement", "policy.mrtd", "A quote of another TD.")
misbehaving_tdx("other-host-data", "policy.mrconfigid", "A quote of a TD with another MRCONFIGID.")
misbehaving_tdx("other-chip", "run.same_platform", "A quote of another platform than the statement's.")
misbehaving_tdx("tcb-change", "policy.tcb_status", "A quote of a platform with an older TCB.")
misbehaving_tdx("debug", "attestation: policy.", "A quote of a TD whose memory the host can read.")
