/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM's answers, which are the host's where the host runs it, through tpm2-tss as a whole. Input: a byte for the
 * calls (tpm_script.h), then what the TPM answers in turn, each length (2) bytes; recorded by record_tpm.c.
 */
#include "tests/fuzz/tpm_played.h"
#include "tests/fuzz/tpm_script.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e = { .text = "" };
	uint8_t calls;

	setenv("TSS2_LOG", "all+none", 1); /* read once, at its first line */
	tpm_answers = reader_over(bytes, len);
	calls = reader_u8(&tpm_answers);
	if (tpm_script_run(calls, "played", NULL, &e) == 0)
		assert(*e.text);
	return 0;
}
