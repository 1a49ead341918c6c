/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_tap.h — what goes by on the bus between a program and a TPM (swtpm): it is kept, and answers are made up in place of the
 * TPM's. Link with -Wl,--wrap=Tss2_TctiLdr_Initialize, and include it once, after tests/unit.h.
 */
#pragma once

#include "common/base/reader.h"
#include "common/base/writer.h"

#include <string.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

enum { TPM_TAP_HEAD = 10, TPM_TAP_MAX = 1 << 20 };

static struct tpm_tap {
	struct writer seen; /* both ways */
	TPM2_CC asked;      /* the last command */
	/* That one is answered, from the `from`-th on (0: never), by this code alone, and the TPM is not asked. */
	TPM2_CC refused;
	TSS2_RC code;
	int from, count;
	TSS2_TCTI_TRANSMIT_FCN transmit;
	TSS2_TCTI_RECEIVE_FCN receive;
} tpm_tap;

static inline bool tpm_tap_is_made_up(void)
{
	return tpm_tap.from && tpm_tap.asked == tpm_tap.refused && tpm_tap.count >= tpm_tap.from;
}

static TSS2_RC tpm_tap_transmit(TSS2_TCTI_CONTEXT *tcti, size_t len, const uint8_t *command)
{
	struct reader r = reader_over(command, len);

	(void)reader_be16(&r);
	(void)reader_be32(&r);
	tpm_tap.asked = reader_be32(&r);
	tpm_tap.count += tpm_tap.asked == tpm_tap.refused;
	writer_bytes(&tpm_tap.seen, command, len);
	return tpm_tap_is_made_up() ? TSS2_RC_SUCCESS : tpm_tap.transmit(tcti, len, command);
}

static TSS2_RC tpm_tap_receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *response,
			       int32_t timeout)
{
	const uint32_t said = tpm_tap.code;
	const uint8_t made[TPM_TAP_HEAD] = { 0x80,
					     0x01,
					     0,
					     0,
					     0,
					     TPM_TAP_HEAD,
					     (uint8_t)(said >> 24),
					     (uint8_t)(said >> 16),
					     (uint8_t)(said >> 8),
					     (uint8_t)said };
	TSS2_RC code = TSS2_RC_SUCCESS;

	if (!tpm_tap_is_made_up()) {
		code = tpm_tap.receive(tcti, len, response, timeout);
	} else {
		*len = sizeof(made);
		if (response)
			memcpy(response, made, sizeof(made));
	}
	if (code == TSS2_RC_SUCCESS && response)
		writer_bytes(&tpm_tap.seen, response, *len);
	return code;
}

TSS2_RC __real_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti)
{
	const TSS2_RC code = __real_Tss2_TctiLdr_Initialize(words, tcti);

	if (code == TSS2_RC_SUCCESS) {
		tpm_tap.transmit = TSS2_TCTI_TRANSMIT(*tcti);
		tpm_tap.receive = TSS2_TCTI_RECEIVE(*tcti);
		TSS2_TCTI_TRANSMIT(*tcti) = tpm_tap_transmit;
		TSS2_TCTI_RECEIVE(*tcti) = tpm_tap_receive;
	}
	return code;
}

static inline void tpm_tap_begin(void)
{
	writer_done(&tpm_tap.seen);
	tpm_tap = (struct tpm_tap){ .seen = writer_up_to(TPM_TAP_MAX) };
}

static inline void tpm_tap_refuse(TPM2_CC command, TSS2_RC code, int from)
{
	tpm_tap_begin();
	tpm_tap.refused = command;
	tpm_tap.code = code;
	tpm_tap.from = from;
}

static inline bool tpm_tap_has_seen(const void *bytes, size_t len)
{
	return memmem(tpm_tap.seen.bytes, tpm_tap.seen.len, bytes, len) != NULL;
}
