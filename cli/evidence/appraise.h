/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise.h — whom one command is willing to talk to: policy, manifests and endorsements from its
 * options, and the verdict on each piece of evidence that an attested channel brings.
 *
 * Every connection of the command, and every re-attestation of one, is judged from scratch and has
 * to come from the agent that was verified first (attestation/verify/same_agent.h). Two things an agent can't say
 * in the channel's own evidence: an event log that is too long for it, and that the TPM which has a
 * certified EK has the AK as well. Where the policy or the options ask for them, a verdict can be
 * pending: everything else has passed, the channel may be used to ask for these two, and nothing
 * else. Only appraise_again() turns it into a yes.
 */
#pragma once

#include "attestation/channel/authenticator.h"
#include "attestation/tpm/credential.h"
#include "cli/evidence/evidence_options.h"

enum { APPRAISE_LOG_MAX = 8 << 20, APPRAISE_EK_CERTS_MAX = 8 };

/* clang-format off */
#define APPRAISE_OPTIONS \
	{ .name = "attested-tls", \
	  .help = "send nothing before the agent has proven what it is (AGENT_GRPC_ATTESTED_TLS)" }, \
	{ .name = "attestation-policy", .value = "FILE", .times = CLI_MANY, \
	  .help = "what it has to prove (AGENT_GRPC_ATTESTATION_POLICY)" }, \
	{ .name = "attestation-request-context", .value = "HEX", \
	  .help = "32 bytes to ask the first time with, in hexadecimal or base64 (AGENT_GRPC_ATTESTATION_REQUEST_CONTEXT; random)", .rare = true }, \
	{ .name = "receipt-dir", .value = "DIR", \
	  .help = "keep evidence and verdict of each session there", .rare = true }, \
	EVIDENCE_TRUST_OPTIONS, \
	{ .name = "ek_root", .value = "FILE", \
	  .help = "a root of EK certificates: the TPM has to show that it has such an EK", .rare = true }
/* clang-format on */

/* What the environment says; an option wins. NULL: nothing. */
struct appraise_settings {
	const char *policy, *product, *context;
	int64_t at; /* the moment to judge at, seconds since 1970; 0: that of each session */
};

struct appraise;

/* Reads options and files. A policy is a must. */
int appraise_new(const struct cli *cli, const struct appraise_settings *settings,
		 struct appraise **made, struct err *e) MUST_CHECK;
void appraise_free(struct appraise *a);
DEFINE_CLEANUP(struct appraise *, appraise_free)

/* EA_CONTEXT_LEN bytes, or NULL: none was named. */
const uint8_t *appraise_context(const struct appraise *a);

/* For struct attested_client_config; `data` is the struct appraise. In the pool, one at a time, and
 * never while a function below runs. 0: verified, or pending where appraise_allow_pending() said
 * so. A refusal is ERR_DENIED, "attestation: CHECK: found …, wanted …". */
int appraise_session(void *data, const struct authenticator *authenticator,
		     struct err *e) MUST_CHECK;

/* May the next session be pending? False where a call is already waiting for the connection. */
void appraise_allow_pending(struct appraise *a, bool allow);

/* What the last session still has to show. */
bool appraise_wants_log(const struct appraise *a);
bool appraise_wants_credential(const struct appraise *a);

/* The whole log that the agent sent when asked. Copied. */
int appraise_set_log(struct appraise *a, const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* A credential for the AK of the evidence, for the first of the TPM's certificates that chains to
 * the named root. Lent. */
int appraise_challenge(struct appraise *a, const struct span *ek_certs, size_t count,
		       const struct credential **credential, struct err *e) MUST_CHECK;
/* What the TPM recovered of it. */
int appraise_answer(struct appraise *a, const void *bytes, size_t len, struct err *e) MUST_CHECK;

/* Judges the pending session again, with what came meanwhile: 0 only if it is verified now. */
int appraise_again(struct appraise *a, struct err *e) MUST_CHECK;

/* The last session counts for nothing any more; what the first one was is still to be matched. Its
 * connection may be given another chance (attested_again), or not. */
void appraise_forget(struct appraise *a, bool another_chance);
bool appraise_is_forgotten(const struct appraise *a); /* with another chance */

/* The last session was verified, all of it. */
bool appraise_is_verified(const struct appraise *a);

/* The policy takes a stock agent, which can't be asked again on the same connection. */
bool appraise_takes_stock(const struct appraise *a);

/* The policy takes an agent whose key somebody else gave it (or who says nothing of its key, as
 * stock agents do). Any other agent made its own, which no authority has certified. */
bool appraise_takes_given_key(const struct appraise *a);
/* The policy's `tls.groups`: key exchanges of kex_group.h; 0: any. */
uint32_t appraise_tls_groups(const struct appraise *a);

/* The kind of the last session's evidence, as its number on the wire. */
uint8_t appraise_wire_type(const struct appraise *a);

/* Judges a receipt for results by the same options, and whether it is of the agent that was verified
 * first. 0 says that there is a verdict: verdict_ok() is the answer. receipt_check_judge() otherwise. */
struct receipt;
struct receipt_check;
int appraise_receipt(struct appraise *a, const struct receipt_check *check, struct receipt *r,
		     struct verdict *v, struct err *e) MUST_CHECK;

/* The value of a register, SHA-256, as a TPM quoted it in the last session's evidence, which was
 * verified. -ERR_PRECONDITION where there is none. */
int appraise_pcr(const struct appraise *a, unsigned pcr, uint8_t value[SHA256_LEN],
		 struct err *e) MUST_CHECK;

/* The last verdict's word (verdict_word()): "verified", or with "SIMULATED" before it. */
const char *appraise_word(const struct appraise *a);

/* The last verdict for a person (verdict_line.h). */
void appraise_tell(const struct appraise *a, const struct cli *cli, FILE *to);
