/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_ca_tpm.c — records a TPM's answers for fuzz_ca_tpm: record_ca_tpm TCTI HOW FILE, with what HOW is from
 * ca_tpm_script.h. Keys and so bytes are others each time. A key at a handle stays there.
 */
#include "tests/fuzz/ca_tpm_script.h"
#include "tests/fuzz/tpm_chance.h"
#include "tests/fuzz/tpm_record.h"

#include <stdlib.h>

enum { RECORD_MAX = 65536 };

static char folder[] = "/tmp/record-ca-tpm-XXXXXX";

/* A file with a key of this TPM, as an earlier start left it. */
static int make_blob(const char *tcti, uint8_t how, uint8_t **blob, size_t *len, struct err *e)
{
	const uint8_t makes = how & (CA_TPM_FILE | CA_TPM_AUTH);
	char words[CA_SIGNER_WHERE_MAX], path[CA_TPM_PATH_MAX];
	struct ca_tpm_said said = { .len = 0 };
	int failed = ca_tpm_script_words(makes, folder, (struct span){ NULL, 0 }, tcti, words, e);

	if (!failed)
		failed = ca_tpm_script_run(makes, words, &said, e);
	EVP_PKEY_free(said.public);
	snprintf(path, sizeof(path), "%s/key", folder);
	return failed ? failed : file_read(path, CA_TPM_BLOB_MAX, blob, len, e);
}

static int run(const char *tcti, uint8_t how, const char *file, struct err *e)
{
	CLEANUP(free) uint8_t *blob = NULL;
	char words[CA_SIGNER_WHERE_MAX];
	struct ca_tpm_said said = { .len = 0 };
	size_t len = 0;
	int failed;

	if ((how & CA_TPM_THERE) && make_blob(tcti, how, &blob, &len, e) < 0)
		return err_code(e);
	tpm_record = writer_up_to(RECORD_MAX);
	writer_u8(&tpm_record, how);
	writer_be16(&tpm_record, (uint16_t)len);
	writer_bytes(&tpm_record, blob, len);
	failed = ca_tpm_script_words(how, folder, (struct span){ blob, len }, tcti, words, e);
	tpm_chance_none();
	if (!failed)
		failed = ca_tpm_script_run(how, words, &said, e);
	EVP_PKEY_free(said.public);
	if (failed || writer_check(&tpm_record, "the answers", e) < 0)
		return err_code(e);
	return file_write(file, tpm_record.bytes, tpm_record.len, 0644, e);
}

int main(int argc, char **argv)
{
	struct err e = { .text = "" }, ignored;
	unsigned long how = argc == 4 ? strtoul(argv[2], NULL, 0) : 256;
	int failed;

	if (how >= CA_TPM_WORDS || !mkdtemp(folder)) {
		fprintf(stderr, "usage: record_ca_tpm TCTI HOW FILE\n");
		return 2;
	}
	failed = run(argv[1], (uint8_t)how, argv[3], &e);
	if (failed)
		fprintf(stderr, "record_ca_tpm: %s\n", e.text);
	writer_done(&tpm_record);
	(void)!dir_remove(folder, &ignored);
	return failed ? 1 : 0;
}
