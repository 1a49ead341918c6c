/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_edited.h — a TPM's quote with its log, and certificates of its keys to roots of our own, right in
 * everything; what fuzz_tpm_appraise.c edits.
 */
#pragma once

#include "common/base/bytes.h"
#include "tests/forge/must.h"
#include "tests/fuzz/edits.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

enum { TPM_EDITED_POLICY_LEN = 16, TPM_EDITED_EKS = 3, TPM_EDITED_CERTS = 3 };
enum tpm_edited_cert { TPM_EDITED_AK, TPM_EDITED_EK, TPM_EDITED_CA };

struct tpm_edited {
	struct forge_tpm forge;
	struct forge_tpm_parts parts;
	EVP_PKEY *root, *ca, *stranger, *eks[TPM_EDITED_EKS]; /* live as long as the program */
	uint8_t root_der[FORGE_CERT_MAX], der[TPM_EDITED_CERTS][FORGE_CERT_MAX];
	size_t root_len, der_len[TPM_EDITED_CERTS];
	struct credential credentials[TPM_EDITED_EKS][2]; /* for this AK, for another */
	uint8_t policy_bytes[TPM_EDITED_POLICY_LEN];
};

/* What the bytes of a policy are. */
enum tpm_edited_policy {
	TPM_EDITED_FLAGS,
	TPM_EDITED_RESET,
	TPM_EDITED_REGISTERS, /* of 4, 8, 16 and 23: named, by the right value */
	TPM_EDITED_OTHER,     /* by another */
	TPM_EDITED_EVENTS,    /* of 4 and 8: the policy names the events, and no value */
};
enum tpm_edited_flag {
	TPM_EDITED_NO_SEPARATORS = 1,
	TPM_EDITED_HAS_RESET = 2,
	TPM_EDITED_SHA1 = 4,
	TPM_EDITED_SHA1_BANK = 8,
};

static inline struct forge_cert tpm_edited_want(const struct tpm_edited *t, const char *subject,
						EVP_PKEY *key, const char *constraints,
						const char *usage)
{
	return (struct forge_cert){ .subject = subject,
				    .issuer = "Maker's CA",
				    .key = key,
				    .issuer_key = t->ca,
				    .algorithm = FORGE_ECDSA,
				    .serial = 7,
				    .not_before = FORGE_AT - 86400,
				    .not_after = FORGE_AT + 86400,
				    .constraints = constraints,
				    .usage = usage };
}

static inline void tpm_edited_begin(struct tpm_edited *t)
{
	struct forge_cert root, ca;
	struct forge_tpm other;
	struct forge_tpm_parts others;
	struct err e;

	if (t->root)
		return;
	tpm_forge_init(&t->forge);
	tpm_forge_parts(&t->forge, &t->parts);
	tpm_forge_init(&other);
	tpm_forge_parts(&other, &others);
	t->root = EVP_EC_gen("P-256");
	t->ca = EVP_EC_gen("P-256");
	t->stranger = EVP_EC_gen("P-256");
	t->eks[0] = EVP_EC_gen("P-256");
	t->eks[1] = EVP_EC_gen("P-384");
	t->eks[2] = EVP_RSA_gen(2048);
	for (size_t i = 0; i < TPM_EDITED_EKS; i++) {
		struct credential *c = t->credentials[i];

		MUST(credential_make(t->eks[i], tpm_forge_span(&t->parts.ak_public), &c[0], &e) ==
		     0);
		MUST(credential_make(t->eks[i], tpm_forge_span(&others.ak_public), &c[1], &e) == 0);
	}
	tpm_forge_parts_done(&others);
	tpm_forge_done(&other);
	root = tpm_edited_want(t, "Maker's root", t->root, "critical,CA:TRUE",
			       "critical,keyCertSign");
	root.issuer = root.subject;
	root.issuer_key = t->root;
	t->root_len = forge_make(&root, t->root_der);
	ca = root;
	ca.subject = "Maker's CA";
	ca.key = t->ca;
	t->der_len[TPM_EDITED_CA] = forge_make(&ca, t->der[TPM_EDITED_CA]);
}

/* Certificates of the AK and of that EK. */
static inline void tpm_edited_make(struct tpm_edited *t, size_t ek)
{
	static const uint8_t purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01 };
	static const uint8_t ak_purpose[] = {
		0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03
	};
	/* SEQUENCE { [4] { SEQUENCE {} } }: a directory name that says nothing. */
	static const uint8_t name[] = { 0x30, 0x04, 0xa4, 0x02, 0x30, 0x00 };
	struct forge_cert ak, key;

	tpm_edited_begin(t);
	ak = tpm_edited_want(t, "AK", t->forge.key, "critical,CA:FALSE",
			     "critical,digitalSignature");
	key = tpm_edited_want(t, "EK", t->eks[ek % TPM_EDITED_EKS], "critical,CA:FALSE",
			      ek % TPM_EDITED_EKS == 2 ? "critical,keyEncipherment"
						       : "critical,keyAgreement");
	forge_add(&ak, "2.5.29.37", ak_purpose, sizeof(ak_purpose));
	forge_add(&key, "2.5.29.37", purpose, sizeof(purpose));
	forge_add(&key, "2.5.29.17", name, sizeof(name));
	t->der_len[TPM_EDITED_AK] = forge_make(&ak, t->der[TPM_EDITED_AK]);
	t->der_len[TPM_EDITED_EK] = forge_make(&key, t->der[TPM_EDITED_EK]);
	memset(t->policy_bytes, 0, sizeof(t->policy_bytes));
	t->policy_bytes[TPM_EDITED_REGISTERS] = 7;
}

/* The policy of those bytes; missing ones are zero. */
static inline void tpm_edited_policy(const struct tpm_edited *t, struct span bytes,
				     struct tpm_policy *p)
{
	static const unsigned registers[] = { 4, 8, 16, 23 };
	static const uint8_t other[SHA256_LEN] = { 0x99 };
	static struct event_rule rules[2];
	const struct tpm_pcr_bank *bank = &t->forge.pcrs.banks[0];
	uint8_t b[TPM_EDITED_POLICY_LEN] = { 0 }, flags;
	struct err e;

	memcpy(b, bytes.bytes, bytes.len < sizeof(b) ? bytes.len : sizeof(b));
	flags = b[TPM_EDITED_FLAGS];
	*p = (struct tpm_policy){ .separators_optional = flags & TPM_EDITED_NO_SEPARATORS,
				  .has_reset_count = flags & TPM_EDITED_HAS_RESET,
				  .reset_count = b[TPM_EDITED_RESET],
				  .allow_sha1_bank = flags & TPM_EDITED_SHA1 };
	for (size_t i = 0; i < ARRAY_LEN(registers); i++) {
		struct tpm_policy_pcr row = { flags & TPM_EDITED_SHA1_BANK ? DIGEST_SHA1
									   : DIGEST_SHA256,
					      registers[i],
					      { bank->values[registers[i]], 1 } };

		if (b[TPM_EDITED_OTHER] & 1u << i)
			row.values.values = other;
		if (b[TPM_EDITED_EVENTS] & 1u << i)
			row.values.count = 0;
		if ((b[TPM_EDITED_REGISTERS] | b[TPM_EDITED_OTHER]) & 1u << i)
			p->pcrs[p->count++] = row;
	}
	for (size_t i = 0; i < 2; i++) {
		rules[i] = (struct event_rule){ .pcr = registers[i], .bank = DIGEST_SHA256 };
		MUST(digest(DIGEST_SHA256, "kernel", 6, rules[i].digest, &e) == 0);
	}
	p->events = (struct event_rules){ rules, b[TPM_EDITED_EVENTS] & 3 ? 2 : 0 };
}
