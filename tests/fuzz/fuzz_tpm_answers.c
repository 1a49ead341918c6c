/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM's answers, which are the host's where the host runs it, through tpm2-tss as a whole. Input: a byte for the
 * calls (tpm_script.h), then what the TPM answers in turn, each length (2) bytes; recorded by record_tpm.c.
 */
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "tests/fuzz/tpm_script.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMAND_HEAD = 10 };

static struct reader answers;

/* What is sent is a whole command, whatever was answered before. */
static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t len, const uint8_t *command)
{
	struct reader r = reader_over(command, len);
	uint16_t tag = reader_be16(&r);

	assert(len >= COMMAND_HEAD && (tag == 0x8001 || tag == 0x8002));
	assert(reader_be32(&r) == len);
	return TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *response, int32_t timeout)
{
	struct reader all = answers;
	size_t size = reader_be16(&answers);
	const uint8_t *bytes = reader_take(&answers, size);

	if (!bytes)
		return TSS2_TCTI_RC_IO_ERROR;
	if (!response || size > *len) {
		*len = size;
		answers = all;
		return response ? TSS2_TCTI_RC_INSUFFICIENT_BUFFER : TSS2_RC_SUCCESS;
	}
	memcpy(response, bytes, size);
	*len = size;
	return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *tcti)
{
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *tcti)
{
	return TSS2_RC_SUCCESS;
}

static TSS2_RC get_poll_handles(TSS2_TCTI_CONTEXT *tcti, TSS2_TCTI_POLL_HANDLE *handles,
				size_t *count)
{
	*count = 0;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *tcti, uint8_t locality)
{
	return TSS2_RC_SUCCESS;
}

static TSS2_TCTI_CONTEXT_COMMON_V1 played = {
	.magic = 0x636f636f73,
	.version = 1,
	.transmit = transmit,
	.receive = receive,
	.finalize = finalize,
	.cancel = cancel,
	.getPollHandles = get_poll_handles,
	.setLocality = set_locality,
};

TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti)
{
	*tcti = (TSS2_TCTI_CONTEXT *)&played;
	return TSS2_RC_SUCCESS;
}

void __wrap_Tss2_TctiLdr_Finalize(TSS2_TCTI_CONTEXT **tcti);
void __wrap_Tss2_TctiLdr_Finalize(TSS2_TCTI_CONTEXT **tcti)
{
	*tcti = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e = { .text = "" };
	uint8_t calls;

	setenv("TSS2_LOG", "all+none", 1); /* read once, at its first line */
	answers = reader_over(bytes, len);
	calls = reader_u8(&answers);
	if (tpm_script_run(calls, "played", NULL, &e) == 0)
		assert(*e.text);
	return 0;
}
