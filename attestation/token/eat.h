/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eat.h — the Entity Attestation Token (RFC 9711) that carries evidence: COSE_Sign1, ES256, over a
 * CBOR map of claims.
 *
 * A token proves nothing by being well signed: who signed it has to be known by other means. What
 * is judged is `raw_report`; the other claims must agree with it (eat_agree.h) and count only if
 * the signer is the key that the report data binds.
 */
#pragma once

#include "attestation/envelope/evidence_kind.h"
#include "attestation/formats/cose.h"

enum {
	EAT_MAX = COSE_MAX,
	EAT_NONCE_MIN = 8,
	EAT_NONCE_MAX = 64,
	EAT_RAW_REPORT_MAX = 8 << 20,
};

/* Which of the three forms made the report data (binding.h); a claim, to be recomputed. */
enum eat_nonce_use { EAT_USE_UNSAID, EAT_USE_CHANNEL, EAT_USE_NONCE, EAT_USE_RUN };
const char *eat_nonce_use_name(enum eat_nonce_use use); /* "channel"; NULL where unsaid */

/* A piece of the token; `bytes` is NULL where the claim is absent. */
struct eat_bytes {
	const uint8_t *bytes;
	size_t len;
};

/* Spans lead into the token, which must outlive this. */
struct eat {
	struct cose cose;
	struct datum *claims; /* the whole map, for eat_agree.h and for display */
	enum evidence_kind platform;
	enum eat_nonce_use nonce_use;
	int64_t issued, expires; /* iat, exp: seconds since 1970 */
	int64_t not_before;      /* nbf; 0 where absent */
	struct eat_bytes nonce, raw_report;
	struct eat_bytes tee_report;   /* x-cocos-tee-report: the report of SNP-vTPM as it was */
	struct eat_bytes run;          /* x-cocos-run: the run statement */
	struct eat_bytes run_evidence; /* x-cocos-run-evidence */
	struct eat_bytes event_log;    /* x-cocos-event-log: the agent's own */
	uint8_t *spki;                 /* of cnf's key, malloc'ed; NULL where absent */
	size_t spki_len;
};

/* The form: ES256, a map without repeated keys, exp, iat, eat_nonce, platform_type, raw_report there
 * and of their types; nowhere a tag; unknown claims are stepped over; null counts as absent. No
 * signature. */
int eat_parse(const void *bytes, size_t len, struct eat *token, struct err *e) MUST_CHECK;
void eat_done(struct eat *token);

/* 0 only if `key` signed the token. */
int eat_verify(const struct eat *token, EVP_PKEY *key, struct err *e) MUST_CHECK;

/* iat and nbf <= at + skew, at <= exp + skew, iat <= exp; seconds. */
int eat_check_time(const struct eat *token, int64_t at, uint32_t skew, struct err *e) MUST_CHECK;

/* eat_nonce is exactly this. */
int eat_check_nonce(const struct eat *token, const uint8_t *nonce, size_t len,
		    struct err *e) MUST_CHECK;

/* ---- making one ---- */

/* Claims that are empty are left out. `key` is P-256 and becomes cnf and the signer. */
struct eat_content {
	const char *issuer; /* also the key id */
	enum evidence_kind platform;
	enum eat_nonce_use nonce_use;
	int64_t issued, expires;
	struct eat_bytes nonce, raw_report, ueid, measurement, tee_report, run, run_evidence,
		event_log;
};
int eat_write(const struct eat_content *content, EVP_PKEY *key, struct writer *out,
	      struct err *e) MUST_CHECK;
