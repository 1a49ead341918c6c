/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_tpm_sealed.c — records a TPM's answers for fuzz_tpm_sealed: record_tpm_sealed TCTI CALL FILE, with what the call is
 * from tpm_sealed_script.h. What is opened it seals first.
 */
#include "common/base/file.h"
#include "tests/fuzz/tpm_chance.h"
#include "tests/fuzz/tpm_record.h"
#include "tests/fuzz/tpm_sealed_script.h"

#include <stdio.h>

static int run(uint8_t call, const char *tcti, struct err *e)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *sealing = NULL;
	CLEANUP(free) uint8_t *blob = NULL;
	uint8_t key[TPM_SEALED_LEN];
	size_t len;

	if (tpm_sealed_new(call, tcti, &sealing, e) < 0)
		return err_code(e);
	tpm_record = writer_up_to(TPM_SEALED_SCRIPT_MAX);
	writer_u8(&tpm_record, call);
	writer_be16(&tpm_record, 0);
	tpm_chance_none();
	if (tpm_seal(sealing, tpm_sealed_key, &blob, &len, e) < 0 || call & TPM_SEALED_SEALS)
		return *e->text ? err_code(e) : 0;
	writer_done(&tpm_record);
	tpm_record = writer_up_to(TPM_SEALED_SCRIPT_MAX);
	writer_u8(&tpm_record, call);
	writer_be16(&tpm_record, (uint16_t)len);
	writer_bytes(&tpm_record, blob, len);
	tpm_chance_none();
	return tpm_unseal(sealing, blob, len, key, e);
}

int main(int argc, char **argv)
{
	struct err e = { .text = "" };
	const unsigned long call = argc == 4 ? strtoul(argv[2], NULL, 0) : 256;

	if (call > 255) {
		fprintf(stderr, "usage: record_tpm_sealed TCTI CALL FILE\n");
		return 2;
	}
	if (run((uint8_t)call, argv[1], &e) < 0 ||
	    writer_check(&tpm_record, "the answers", &e) < 0 ||
	    file_write(argv[3], tpm_record.bytes, tpm_record.len, 0644, &e) < 0) {
		fprintf(stderr, "record_tpm_sealed: %s\n", e.text);
		return 1;
	}
	writer_done(&tpm_record);
	return 0;
}
