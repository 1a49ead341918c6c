/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cocos/attestation.h — verifies evidence of confidential machines: AMD SEV-SNP, Intel TDX, TPM 2.0,
 * and tokens that carry them. The whole interface of libcocos-attestation; docs/library.md is its
 * manual and examples/verify.c a program over it.
 *
 * Evidence, endorsements, a policy, what the evidence has to be bound to and a moment go in; a
 * verdict comes out (RFC 9334). The library opens no file, device or connection, reads no clock and
 * no environment, prints nothing and never ends the process.
 *
 * A function that can fail returns 0 or a negative code (enum cocos_code), fills `error` if that is
 * not NULL, and leaves its outputs alone unless its comment says otherwise. A verdict of no is not a
 * failure: cocos_verify() returns 0 for 'judged', and cocos_verdict_ok() is the only yes.
 *
 * Bytes that are handed over are copied, so that the caller may free them at once. Texts that are
 * handed out belong to the object that they were asked of, but for cocos_verdict_text() and
 * cocos_verdict_json(). NULL where an object is wanted is COCOS_INVALID, or no answer; every
 * cocos_…_free() takes NULL.
 *
 * Threads: there is no shared state, so different objects never get in each other's way. Functions
 * that take an object as `const` may be called on it by any number of threads at once, so one policy
 * and one set of endorsements serve all of them. A function that takes it without `const` needs it
 * alone.
 */
#ifndef COCOS_ATTESTATION_H
#define COCOS_ATTESTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COCOS_PUBLIC     __attribute__((visibility("default")))
#define COCOS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define COCOS_PUBLIC
#define COCOS_MUST_CHECK
#endif

/* "0.1.0" */
COCOS_PUBLIC const char *cocos_version(void);

/* ---- errors ---- */

/* What functions return with a minus sign. Numbers as in gRPC. Later versions may add some: what is
 * negative is a failure. */
enum cocos_code {
	COCOS_INVALID = 3,   /* the call makes no sense, or an input is malformed */
	COCOS_EXHAUSTED = 8, /* out of memory, or an input above its limit */
	COCOS_INTERNAL = 13, /* libcrypto refuses to work */
};

/* Lives with the caller; nothing to free. */
struct cocos_error {
	int code;       /* of enum cocos_code */
	char text[512]; /* one line for a person, without control characters, always terminated */
};

struct cocos_bytes {
	const void *data;
	size_t len;
};

/* ---- policies ---- */

/* What an owner wants of a machine (docs/policy.md). */
struct cocos_policy;

/* One policy of 1 to 16 JSON documents, in our form or in the older one. Each is read strictly; a
 * key that nobody knows is refused. Errors count documents from 1. cocos_policy_free() it. */
COCOS_PUBLIC int cocos_policy_parse(const struct cocos_bytes *documents, size_t count,
				    struct cocos_policy **policy,
				    struct cocos_error *error) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_policy_free(struct cocos_policy *policy);

/* SHA-256 over the documents, in order; 32 bytes, which belong to the policy. NULL for NULL. */
COCOS_PUBLIC const uint8_t *cocos_policy_digest(const struct cocos_policy *policy);

/* ---- endorsements ---- */

/* What vendors say about a machine, and whom to trust in place of them. Nothing is believed for
 * being here, but for what is called a root or named. */
struct cocos_endorsements;

/* "Certificate": one, DER or PEM. "Chain": PEM. "Up to N": may be added that often; every other
 * once. */
enum cocos_endorsement {
	/* SEV-SNP; what the evidence brings along need not be added. */
	COCOS_SNP_VCEK = 1, /* certificate of the chip; or else: */
	COCOS_SNP_VLEK = 2, /* of the cloud provider */
	COCOS_SNP_CHAIN =
		3, /* ASK (or ASVK) and ARK, in this order, as AMD's service has them; or: */
	COCOS_SNP_ASK = 4,  /* certificate: the ASK, or the ASVK above a VLEK */
	COCOS_SNP_ARK = 5,  /* certificate */
	COCOS_SNP_CRL = 6,  /* revocation list, DER or PEM; up to 8 */
	COCOS_SNP_ROOT = 7, /* certificate: the one root to trust in place of AMD's */

	/* TDX: all seven are needed, as Intel's service (PCS API v4) sends them. */
	COCOS_TDX_TCB_INFO = 20,          /* JSON */
	COCOS_TDX_TCB_INFO_CHAIN = 21,    /* chain */
	COCOS_TDX_QE_IDENTITY = 22,       /* JSON */
	COCOS_TDX_QE_IDENTITY_CHAIN = 23, /* chain */
	COCOS_TDX_PCK_CRL = 24,           /* DER or PEM */
	COCOS_TDX_PCK_CRL_CHAIN = 25,     /* chain */
	COCOS_TDX_ROOT_CRL = 26,          /* DER or PEM */
	COCOS_TDX_ROOT = 27, /* certificate: the one root to trust in place of Intel's */

	/* TPM: whose attestation key (AK) is it? At least one of AK, root of AK certificates, EK and
	 * TEE report has to say so, and each that is given has to hold. */
	COCOS_TPM_AK = 40,      /* that very AK: TPMT_PUBLIC, or its public key in PEM or DER */
	COCOS_TPM_AK_CERT = 41, /* certificate of the AK, in place of the evidence's */
	COCOS_TPM_AK_ROOT = 42, /* certificate: the root of AK certificates */
	COCOS_TPM_EK_CERT = 43, /* certificate of the endorsement key; needs a credential */
	COCOS_TPM_EK_ROOT = 44, /* certificate: the root of EK certificates */
	COCOS_TPM_INTERMEDIATE = 45, /* certificates between them, DER or PEM; up to 16 */

	COCOS_TOKEN_KEY = 60, /* public key, PEM or DER: who has to have signed the token */
	COCOS_CORIM_KEY = 61, /* public key, PEM or DER: who has to have signed the CoRIM */
	COCOS_CORIM = 62,     /* reference values beside the policy; unsigned without a key */
};

COCOS_PUBLIC int cocos_endorsements_new(struct cocos_endorsements **endorsements,
					struct cocos_error *error) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_endorsements_free(struct cocos_endorsements *endorsements);

/* Copies. COCOS_INVALID for a number that this version does not know, for one too many, and for no
 * bytes; COCOS_EXHAUSTED above 1 MiB (documents of Intel and CoRIMs: 8 MiB). What the bytes hold is
 * judged later. */
COCOS_PUBLIC int cocos_endorsements_add(struct cocos_endorsements *endorsements,
					enum cocos_endorsement which, const void *bytes, size_t len,
					struct cocos_error *error) COCOS_MUST_CHECK;

/* ---- credentials ---- */

/* A secret that only the TPM with that endorsement key (EK) and that attestation key can recover
 * (TPM 2.0 Library, part 1, 24): make it, let the TPM answer, add it to a request. */
struct cocos_credential;

/* `ek_cert` is one certificate, DER or PEM, which cocos_verify() judges; `ak` is TPMT_PUBLIC. */
COCOS_PUBLIC int cocos_credential_make(const void *ek_cert, size_t ek_cert_len, const void *ak,
				       size_t ak_len, struct cocos_credential **credential,
				       struct cocos_error *error) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_credential_free(struct cocos_credential *credential);

/* For TPM2_ActivateCredential: the contents of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. They
 * belong to the credential. */
COCOS_PUBLIC struct cocos_bytes cocos_credential_blob(const struct cocos_credential *credential);
COCOS_PUBLIC struct cocos_bytes
cocos_credential_encrypted(const struct cocos_credential *credential);

/* What the TPM recovered. Whether it is right is judged later. */
COCOS_PUBLIC int cocos_credential_answer(struct cocos_credential *credential, const void *bytes,
					 size_t len, struct cocos_error *error) COCOS_MUST_CHECK;

/* ---- requests ---- */

/* What the evidence has to be; its contents never change that. Each of the first four is taken
 * inside of a token as well. */
enum cocos_mode {
	COCOS_SNP = 1,  /* SEV-SNP report, with or without certificate table; sevsnp.Attestation */
	COCOS_TDX = 2,  /* TDX quote */
	COCOS_VTPM = 3, /* attest.Attestation, the TPM message of go-tpm-tools */
	COCOS_SNP_VTPM = 4, /* the same with the SEV-SNP report that binds its attestation key */
	COCOS_EAT = 5,      /* a token (EAT in COSE_Sign1) of any of these, as it says itself */
	COCOS_TDX_VTPM =
		6, /* attest.Attestation of Azure's TDX machines, with the two inputs below */
};

/* Each once unless it says 'up to'. */
enum cocos_input {
	/* The evidence: binary, or for the two protobuf messages their JSON form as well. Up to
	 * 16 MiB. Malformed or empty evidence is judged, as a no. */
	COCOS_EVIDENCE = 1,
	COCOS_EVENT_LOG = 2,  /* the platform's event log, in place of the evidence's */
	COCOS_HCL_REPORT = 3, /* Azure's report around the TEE's: COCOS_SNP_VTPM, COCOS_TDX_VTPM */
	COCOS_RUNTIME_DATA = 4, /* Azure's runtime data, in place of those inside of it */
	COCOS_ID_BLOCK = 5,     /* SEV-SNP: the ID block of the launch, */
	COCOS_ID_AUTH = 6,      /* and its authentication */
	/* SHA3-256 of a canonical manifest: 32 bytes. The run statement must name one; up to 4. */
	COCOS_MANIFEST_DIGEST = 7,
	COCOS_TD_QUOTE = 8, /* Azure's quote of the TDREPORT in COCOS_HCL_REPORT: COCOS_TDX_VTPM */

	/* What the evidence has to be bound to. A TEE: the report data as they stand in the report
	 * (64 bytes), or the nonces that it was asked with and the key that its token names (1 to
	 * 64 and 1 to 32 bytes), or cocos_request_channel(). A TPM alone: one of the nonces, or
	 * extraData as they stand in the quote (16 to 64 bytes). */
	COCOS_REPORT_DATA = 20,
	COCOS_TEE_NONCE = 21,
	COCOS_VTPM_NONCE = 22,
	COCOS_EXTRA_DATA = 23,
};

/* Bits. */
enum cocos_flag {
	COCOS_GENUINE_ONLY = 1, /* is it real hardware's? Nothing about what runs, and no policy */
	COCOS_REQUIRE_CRL = 2,  /* SEV-SNP: refuse without a revocation list of the ARK's */
	COCOS_BEFORE_RUN = 4,   /* the agent has no manifest yet: ask for no run statement */
};

/* Signatures that held, remembered for judgements of many machines: certificates of CAs, revocation
 * lists, documents, a few hundred machines' certificates and their quoting enclaves' reports are
 * then verified once. Remembered is that a signature over these bytes by this key is good, and
 * nothing else: trust, time, revocation and policy are judged at each call. Of fixed size. Any number
 * of threads may use one at once. Unlike the library's other objects it is not copied: it has to
 * outlive the requests that it was given to. */
struct cocos_memory;
COCOS_PUBLIC int cocos_memory_new(struct cocos_memory **memory,
				  struct cocos_error *error) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_memory_free(struct cocos_memory *memory);

struct cocos_request;

COCOS_PUBLIC int cocos_request_new(enum cocos_mode mode, struct cocos_request **request,
				   struct cocos_error *error) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_request_free(struct cocos_request *request);

/* Copies. COCOS_INVALID for a number that this version does not know, for one too many, and for a
 * length that can't be right; COCOS_EXHAUSTED above 16 MiB. */
COCOS_PUBLIC int cocos_request_set(struct cocos_request *request, enum cocos_input input,
				   const void *bytes, size_t len,
				   struct cocos_error *error) COCOS_MUST_CHECK;

/* Evidence is bound to a TLS connection: `hash` is "SHA256" or "SHA384", that of its cipher suite,
 * `exporter` the 32 bytes of TLS-Exporter("Attestation", request context, 32), and `spki` (DER) the
 * key that the exported authenticator was verified with. Once. The connection's key exchange can't be said here: a
 * policy that demands one (tls.groups) is answered no; with report data or nonces it is not asked. */
COCOS_PUBLIC int cocos_request_channel(struct cocos_request *request, const char *hash,
				       const uint8_t exporter[32], const void *spki,
				       size_t spki_len, struct cocos_error *error) COCOS_MUST_CHECK;

/* The moment to judge at, in seconds since 1970, and by how many seconds clocks may differ (up to a
 * day). A request without a moment is not judged. The last call counts. */
COCOS_PUBLIC int cocos_request_at(struct cocos_request *request, int64_t at, uint32_t skew,
				  struct cocos_error *error) COCOS_MUST_CHECK;

/* Adds bits of enum cocos_flag; one that this version does not know is COCOS_INVALID. */
COCOS_PUBLIC int cocos_request_flags(struct cocos_request *request, unsigned flags,
				     struct cocos_error *error) COCOS_MUST_CHECK;

/* Which processors the caller takes: "Milan", "Genoa" or "Turin". The last call counts. */
COCOS_PUBLIC int cocos_request_product(struct cocos_request *request, const char *name,
				       struct cocos_error *error) COCOS_MUST_CHECK;

/* Copies a credential that was answered. Once. */
COCOS_PUBLIC int cocos_request_credential(struct cocos_request *request,
					  const struct cocos_credential *credential,
					  struct cocos_error *error) COCOS_MUST_CHECK;

/* Uses that memory in each judgement. The last call counts. */
COCOS_PUBLIC int cocos_request_memory(struct cocos_request *request, struct cocos_memory *memory,
				      struct cocos_error *error) COCOS_MUST_CHECK;

/* ---- the call ---- */

/* What came out: checks, and a word that follows from them. Keeps nothing of its inputs alive. */
struct cocos_verdict;

/* Judges. `endorsements` NULL: the evidence brings all of them. `policy` NULL is a refusal, but for
 * COCOS_GENUINE_ONLY, which takes none, or where a CoRIM was added.
 *
 * 0: judged, and *verdict is to be asked and freed. Negative: could not judge, and *verdict is NULL,
 * which is no yes either. That is the caller's doing (no moment, no binding, inputs that contradict
 * each other, an endorsement that is no such thing) or want of memory, never that of the evidence.
 * (Memory that is wanting during the judgement may also be a no, never a yes.) */
COCOS_PUBLIC int cocos_verify(const struct cocos_request *request,
			      const struct cocos_endorsements *endorsements,
			      const struct cocos_policy *policy, struct cocos_verdict **verdict,
			      struct cocos_error *error) COCOS_MUST_CHECK;

/* ---- the verdict ---- */

/* The only yes. False for NULL. */
COCOS_PUBLIC bool cocos_verdict_ok(const struct cocos_verdict *verdict) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_verdict_free(struct cocos_verdict *verdict);

/* "verified", "genuine" (COCOS_GENUINE_ONLY) or "refused", behind "SIMULATED " where the root says
 * that no hardware stands behind the evidence. "refused" for NULL. */
COCOS_PUBLIC const char *cocos_verdict_word(const struct cocos_verdict *verdict);
/* A yes may be one: such a root counts only where the caller named it. */
COCOS_PUBLIC bool cocos_verdict_is_simulated(const struct cocos_verdict *verdict);
/* Of a no, the first failed check: "CHECK: found …, wanted …". Of a yes, "". */
COCOS_PUBLIC const char *cocos_verdict_reason(const struct cocos_verdict *verdict);
/* What the evidence was: never COCOS_EAT once a token was opened. 0 for NULL. */
COCOS_PUBLIC unsigned cocos_verdict_mode(const struct cocos_verdict *verdict);

/* What a reader must know beside the word: "operator trusted: …". NULL from `count` on. */
COCOS_PUBLIC size_t cocos_verdict_note_count(const struct cocos_verdict *verdict);
COCOS_PUBLIC const char *cocos_verdict_note(const struct cocos_verdict *verdict, size_t index);

/* The checks, in the order in which they were made; they belong to the verdict. NULL from `count`
 * on. */
struct cocos_check;
COCOS_PUBLIC size_t cocos_verdict_check_count(const struct cocos_verdict *verdict);
COCOS_PUBLIC const struct cocos_check *cocos_verdict_check(const struct cocos_verdict *verdict,
							   size_t index);
/* The first one of that name, or NULL. */
COCOS_PUBLIC const struct cocos_check *cocos_verdict_find(const struct cocos_verdict *verdict,
							  const char *name);

/* "stage.what": "chain.signature", "policy.measurement". Names are kept from version to version; new
 * ones come. "" for NULL, as below. */
COCOS_PUBLIC const char *cocos_check_name(const struct cocos_check *check);
/* "passed", "failed", or "not asked": neither yes nor no. */
COCOS_PUBLIC const char *cocos_check_outcome(const struct cocos_check *check);
COCOS_PUBLIC bool cocos_check_passed(const struct cocos_check *check);
/* For people; long values are cut. The evidence's own texts may stand there. */
COCOS_PUBLIC const char *cocos_check_found(const struct cocos_check *check);
COCOS_PUBLIC const char *cocos_check_wanted(const struct cocos_check *check);
/* Of the specification: "56860 table 23". */
COCOS_PUBLIC const char *cocos_check_section(const struct cocos_check *check);

/* What a yes found out; NULL where there is none, and of every no. 32 bytes each, which belong to
 * the verdict: SHA-256 of the key (SPKI) that the evidence binds, SHA3-256 of the manifest. A policy
 * that takes stock agents has neither: such an agent vouches for any. */
COCOS_PUBLIC const uint8_t *cocos_verdict_identity(const struct cocos_verdict *verdict);
COCOS_PUBLIC const uint8_t *cocos_verdict_manifest(const struct cocos_verdict *verdict);

/* Of a TDX quote Intel's word for the platform, "UpToDate", and its security advisories,
 * "INTEL-SA-00837". NULL where the judgement did not come that far, and from `count` on. */
COCOS_PUBLIC const char *cocos_verdict_tdx_status(const struct cocos_verdict *verdict);
COCOS_PUBLIC size_t cocos_verdict_advisory_count(const struct cocos_verdict *verdict);
COCOS_PUBLIC const char *cocos_verdict_advisory(const struct cocos_verdict *verdict, size_t index);

/* All of it: lines for a person, and one JSON object on one line, {"verdict","reason","fault",
 * "notes","checks":[{"name","outcome","found","wanted","section"}…],"claims":{…}}; docs/verdict.md
 * describes the claims, which are what the evidence says of itself. cocos_text_free() it; NULL for
 * want of memory, and for NULL. */
COCOS_PUBLIC char *cocos_verdict_text(const struct cocos_verdict *verdict) COCOS_MUST_CHECK;
COCOS_PUBLIC char *cocos_verdict_json(const struct cocos_verdict *verdict) COCOS_MUST_CHECK;
COCOS_PUBLIC void cocos_text_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
