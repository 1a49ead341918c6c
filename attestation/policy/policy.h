/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h — an owner's policy as JSON, read strictly into the policies of each kind of evidence.
 *
 * Two forms may stand in one file. The older one, which people have (`policy`, `root_of_trust`,
 * `pcr_values`, `eat_validation`; fields and encodings of go-sev-guest's check.Config and
 * go-tdx-guest's checkconfig.Config, in snake_case or camelCase): bytes in base64, PCRs in
 * hexadecimal. Ours (`cocos`: 1, and `snp`, `tdx`, `tpm`, `token`, `run`, `crl`, `tls`): bytes in hexadecimal.
 * docs/policy.md lists both.
 *
 * Refused: unknown keys, a key twice (also in two spellings, or in both forms, or in two files), a
 * wrong type, length or range, an empty byte string. What is not said has the strict default; no
 * value means 'any'. A field that would loosen a check which we never loosen is read and changes
 * nothing.
 */
#pragma once

#include "attestation/snp/snp_policy.h"
#include "attestation/tdx/tdx_policy.h"
#include "attestation/tpm/tpm_policy.h"
#include "common/crypto/kex_group.h"

enum {
	POLICY_FILE_MAX = 1 << 20,
	POLICY_FILES_MAX = 16,
	POLICY_LIST_MAX = 4096, /* values in one list */
};

/* Rules about the token around the evidence. */
struct policy_token {
	uint64_t
		max_age; /* seconds since iat, of a token, which there has to be; 0: only exp counts */
	/* Bare evidence is not enough; the claims that have to be in the token. */
	bool required, require_ueid, require_measurements;
};

/* Whose kernel the images have that the reference values are of, by who made the policy from them. */
enum policy_kernel {
	POLICY_KERNEL_UNSAID,
	POLICY_KERNEL_OWN,   /* runs no ACPI code of the host's */
	POLICY_KERNEL_STOCK, /* Debian's, which does: the verdict says so */
};

/* Rules about the run statement. */
struct policy_run {
	bool relayable; /* `agent: stock`: an agent that signs a caller's bytes is acceptable, and the
			   verdict says so. Default false: a run statement is demanded. */
	bool allow_external_identity; /* an identity key that was given from outside */
	/* HOST_DATA or MRCONFIGID, and RTMR3, need not be foreseen, but have to agree with the
	 * statement and its evidence: the boot configuration that it tells of was fixed at launch
	 * (snp_policy.h, host_data_of_run; tdx_policy.h, of_run). Default false. */
	bool fixed_boot;
	enum policy_kernel kernel;
	/* The measurements are of Azure's paravisor, by who made the policy: no guest of it can ask for a
	 * report at its level. A report that names a TPM's key in Azure's way then counts beside a stock agent,
	 * too (verify_input.h, hcl_report). Default false. */
	bool azure_paravisor;
	struct value_set manifests; /* SHA3-256 digests; empty: any manifest, with a note */
	bool has_boot_keys;         /* false: the default list of run_policy.c */
	char **boot_keys;           /* keys of the boot configuration that may be set */
	size_t boot_key_count;
	char **weak_words; /* weakening words that are acceptable; default none */
	size_t weak_word_count;
};

struct policy {
	bool has_snp, has_tdx, has_tpm; /* something was said about it */
	struct snp_policy snp;
	struct tdx_policy tdx;
	struct tpm_policy tpm;
	struct policy_token token;
	struct policy_run run;
	uint32_t tls_groups; /* key exchanges (kex_group.h) that a connection may have; 0: any */
	bool require_crl, offline;
	uint64_t crl_max_age; /* seconds, up to CRL_AGE_MAX (crl_age.h); 0: not said */
	uint8_t report_data[64];
	bool has_report_data;        /* of the older form: must be equal as well */
	uint8_t digest[SHA256_LEN];  /* SHA-256 over the files, in order */
	struct policy_block *blocks; /* what the pointers above lead into */
};

/* The strict default of everything; policy_done() frees. */
void policy_init(struct policy *policy);
void policy_done(struct policy *policy);

/* One document or several, whose members together are one policy. `names` are for errors. On
 * failure the policy is empty. */
struct policy_file {
	const char *name;
	const void *bytes;
	size_t len;
};
int policy_parse(const struct policy_file *files, size_t count, struct policy *policy,
		 struct err *e) MUST_CHECK;

/* What a policy leaves open that its author may not have meant, in words for people; NULL: nothing
 * that is known. */
const char *policy_leaves_open(const struct policy *policy);

/* The same where a TPM is judged by itself: what the policy asks of a TEE is not looked at then. */
const char *policy_leaves_open_alone(const struct policy *policy);
