/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed key's file, and what a TPM answers about it, through tpm2-tss as a whole. Input: a byte for the call and its words
 * (tpm_sealed_script.h), the file with its length (2) in front, then the answers; recorded by record_tpm_sealed.c. Or that
 * byte, and words.
 */
#include "common/base/cleanup.h"
#include "common/base/span.h"
#include "tests/fuzz/tpm_chance.h"
#include "tests/fuzz/tpm_played.h"
#include "tests/fuzz/tpm_sealed_script.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void read_words(struct span text)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *sealing = NULL;
	CLEANUP(free) char *words = NULL;
	struct err e = { .text = "" };

	assert(asprintf(&words, "tpm:%.*s", (int)text.len, (const char *)text.bytes) > 0);
	if (tpm_sealing_new(words, &sealing, &e) < 0)
		assert(*e.text && !sealing);
	else
		assert(sealing->path && sealing->path[0] == '/' && sealing->pcrs.count <= 1);
}

static void seal(struct tpm_sealing *sealing)
{
	CLEANUP(free) uint8_t *blob = NULL;
	struct err e = { .text = "" };
	size_t len = 0;

	if (tpm_seal(sealing, tpm_sealed_key, &blob, &len, &e) < 0)
		assert(*e.text && !blob);
	else
		assert(len > 0 && len <= TPM_SEALED_BLOB_MAX);
}

static void unseal(struct tpm_sealing *sealing, struct span blob)
{
	uint8_t key[TPM_SEALED_LEN];
	struct err e = { .text = "" };

	if (tpm_unseal(sealing, blob.bytes, blob.len, key, &e) < 0)
		assert(*e.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *sealing = NULL;
	struct reader r = reader_over(bytes, len);
	const uint8_t call = reader_u8(&r);
	struct err e;

	setenv("TSS2_LOG", "all+none", 1); /* read once, at its first line */
	tpm_chance_none();
	if (call & TPM_SEALED_READS) {
		const size_t size = reader_left(&r);

		read_words((struct span){ reader_take(&r, size), size });
		return 0;
	}
	const size_t size = reader_be16(&r);
	const uint8_t *blob = reader_take(&r, size);

	if (!blob)
		return 0;
	tpm_answers = r;
	assert(tpm_sealed_new(call, NULL, &sealing, &e) == 0);
	if (call & TPM_SEALED_SEALS)
		seal(sealing);
	else
		unseal(sealing, (struct span){ blob, size });
	assert(!sealing->link.esys && !sealing->link.tcti);
	return 0;
}
