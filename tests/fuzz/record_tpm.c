/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_tpm.c — records a TPM's answers for fuzz_tpm_answers: record_tpm TCTI CALLS FILE, with what the calls are
 * from tpm_script.h. Keys and so bytes are others each time.
 */
#include "attestation/tpm/credential.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/fuzz/tpm_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

static struct writer record;
static TSS2_TCTI_RECEIVE_FCN really_receive;

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *response, int32_t timeout)
{
	TSS2_RC code = really_receive(tcti, len, response, timeout);

	if (code == TSS2_RC_SUCCESS && response) {
		writer_be16(&record, (uint16_t)*len);
		writer_bytes(&record, response, *len);
	}
	return code;
}

TSS2_RC __real_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti)
{
	TSS2_RC code = __real_Tss2_TctiLdr_Initialize(words, tcti);

	if (code == TSS2_RC_SUCCESS) {
		really_receive = TSS2_TCTI_RECEIVE(*tcti);
		TSS2_TCTI_RECEIVE(*tcti) = receive;
	}
	return code;
}

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
	record = writer_up_to(TPM_SCRIPT_MAX);
	writer_u8(&record, (uint8_t)calls);
	if (tpm_script_run((uint8_t)calls, argv[1], make, &e) != 1 + __builtin_popcountl(calls) ||
	    writer_check(&record, "the answers", &e) < 0 ||
	    file_write(argv[3], record.bytes, record.len, 0644, &e) < 0) {
		fprintf(stderr, "record_tpm: %s\n", e.text);
		return 1;
	}
	writer_done(&record);
	return 0;
}
