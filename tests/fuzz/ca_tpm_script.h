/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_tpm_script.h — what the authority asks of the TPM with its key, for a fuzz target and for what records answers for it:
 * the same calls in the same order, chosen by the bits of a byte.
 */
#pragma once

#include "common/base/file.h"
#include "computations/ca/ca_tpm.h"

#include <stdio.h>
#include <string.h>

enum {
	CA_TPM_FILE = 1, /* the key is in a file, else at a handle */
	CA_TPM_AUTH = 2,
	CA_TPM_LONG_AUTH = 4,
	CA_TPM_THERE = 8, /* the file is: with bytes of the input */
	CA_TPM_SIGNS = 16,
	CA_TPM_RESTS = 32, /* and signs once more, without or with having let go of the TPM */
	CA_TPM_384 = 64,
	CA_TPM_WORDS = 128, /* only what an operator writes is read, and no TPM is asked */
	CA_TPM_PATH_MAX = 96,
	CA_TPM_BLOB_MAX = 4096,
};

/* What came of it. */
struct ca_tpm_said {
	bool is_open, is_made, is_new, is_signed;
	EVP_PKEY *public; /* whoever asked frees it */
	uint8_t sig[CA_SIGNATURE_MAX];
	size_t len;
};

/* The words for a folder of the target's own; the file is there or not, as `how` says. */
static inline int ca_tpm_script_words(uint8_t how, const char *folder, struct span blob,
				      const char *tcti, char words[CA_SIGNER_WHERE_MAX],
				      struct err *e)
{
	static const char secret[] = "secret\n";
	char key[CA_TPM_PATH_MAX], auth[CA_TPM_PATH_MAX], longer[CA_SIGNER_SECRET_MAX];

	snprintf(key, sizeof(key), "%s/key", folder);
	snprintf(auth, sizeof(auth), "%s/auth", folder);
	memset(longer, 'x', sizeof(longer));
	(void)remove(key);
	if ((how & CA_TPM_THERE) && file_write(key, blob.bytes, blob.len, 0600, e) < 0)
		return err_code(e);
	if (file_write(auth, how & CA_TPM_LONG_AUTH ? longer : secret,
		       how & CA_TPM_LONG_AUTH ? TPM2_SHA256_DIGEST_SIZE + 1 : sizeof(secret) - 1,
		       0600, e) < 0)
		return err_code(e);
	snprintf(words, CA_SIGNER_WHERE_MAX, "tpm:%s?tcti=%s%s%s",
		 how & CA_TPM_FILE ? key : "0x81010001", tcti,
		 how & CA_TPM_AUTH ? "&auth-source=" : "", how & CA_TPM_AUTH ? auth : "");
	return 0;
}

static inline int ca_tpm_script_sign(uint8_t how, void *state, struct ca_tpm_said *said,
				     struct err *e)
{
	struct ca_signing what = { .digest = { 7 }, .digest_len = how & CA_TPM_384 ? 48 : 32 };

	said->is_signed = ca_signer_tpm.sign(state, &what, said->sig, &said->len, e) == 0;
	return said->is_signed ? 0 : err_code(e);
}

static inline int ca_tpm_script_ask(uint8_t how, void *state, struct ca_tpm_said *said,
				    struct err *e)
{
	if (ca_signer_tpm.make(state, &said->public, &said->is_new, e) < 0)
		return err_code(e);
	said->is_made = true;
	if ((how & CA_TPM_SIGNS) && ca_tpm_script_sign(how, state, said, e) < 0)
		return err_code(e);
	if (!(how & CA_TPM_RESTS))
		return 0;
	if (how & CA_TPM_SIGNS)
		ca_signer_tpm.rest(state);
	return ca_tpm_script_sign(how, state, said, e);
}

static inline int ca_tpm_script_run(uint8_t how, const char *words, struct ca_tpm_said *said,
				    struct err *e)
{
	void *state;
	int failed = ca_signer_tpm.open(words, &state, e);

	if (failed)
		return failed;
	said->is_open = true;
	failed = ca_tpm_script_ask(how, state, said, e);
	ca_signer_tpm.close(state);
	return failed;
}
