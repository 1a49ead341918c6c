/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_record.h — keeps what a TPM answers, as tpm_played.h gives it back. Link with -Wl,--wrap=Tss2_TctiLdr_Initialize, and
 * include it once.
 */
#pragma once

#include "common/base/writer.h"

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

static struct writer tpm_record;
static TSS2_TCTI_RECEIVE_FCN really_receive;

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *response, int32_t timeout)
{
	TSS2_RC code = really_receive(tcti, len, response, timeout);

	if (code == TSS2_RC_SUCCESS && response) {
		writer_be16(&tpm_record, (uint16_t)*len);
		writer_bytes(&tpm_record, response, *len);
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
