/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_played.h — a TPM of what a fuzz target was given: it answers in turn, each length (2) bytes. Link with -Wl,--wrap of
 * Tss2_TctiLdr_Initialize and Tss2_TctiLdr_Finalize, and include it once.
 */
#pragma once

#include "common/base/reader.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

enum { COMMAND_HEAD = 10 };

static struct reader tpm_answers;

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
	struct reader all = tpm_answers;
	size_t size = reader_be16(&tpm_answers);
	const uint8_t *bytes = reader_take(&tpm_answers, size);

	if (!bytes)
		return TSS2_TCTI_RC_IO_ERROR;
	if (!response || size > *len) {
		*len = size;
		tpm_answers = all;
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
