/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_tpm.c — records a TPM's answers for fuzz_tpm_answers: record_tpm TCTI CALLS FILE, with what the calls are
 * from tpm_script.h. Keys and so bytes are others each time.
 */
#include "attestation/tpm/credential.h"
#include "common/base/file.h"
#include "tests/fuzz/tpm_record.h"
#include "tests/fuzz/tpm_script.h"

#include <stdio.h>
#include <stdlib.h>

static int make(struct provider_tpm *tpm, struct writer *blob, struct writer *secret, struct err *e)
{
	CLEANUP_WRITER struct writer ak = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct credential credential;
	struct provider_tpm_ek ek;
	struct tpm_public area;

	if (provider_tpm_ek(tpm, &ek, e) < 0 || provider_tpm_ak_public(tpm, &ak, e) < 0 ||
	    tpm_public_parse(ek.public_area, &area, e) < 0 || tpm_public_key(&area, &key, e) < 0 ||
	    credential_make(key, (struct span){ ak.bytes, ak.len }, &credential, e) < 0)
		return err_code(e);
	writer_bytes(blob, credential.blob, credential.blob_len);
	writer_bytes(secret, credential.encrypted, credential.encrypted_len);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = { .text = "" };
	unsigned long calls = argc == 4 ? strtoul(argv[2], NULL, 0) : 256;

	if (calls > 255) {
		fprintf(stderr, "usage: record_tpm TCTI CALLS FILE\n");
		return 2;
	}
	tpm_record = writer_up_to(TPM_SCRIPT_MAX);
	writer_u8(&tpm_record, (uint8_t)calls);
	if (tpm_script_run((uint8_t)calls, argv[1], make, &e) != 1 + __builtin_popcountl(calls) ||
	    writer_check(&tpm_record, "the answers", &e) < 0 ||
	    file_write(argv[3], tpm_record.bytes, tpm_record.len, 0644, &e) < 0) {
		fprintf(stderr, "record_tpm: %s\n", e.text);
		return 1;
	}
	writer_done(&tpm_record);
	return 0;
}
