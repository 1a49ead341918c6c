/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_tap.h — what goes by on the bus between a program and a TPM (swtpm): it is kept, and answers are made up in place of the
 * TPM's. Link with -Wl,--wrap=Tss2_TctiLdr_Initialize, and include it once, after tests/unit.h.
 */
#pragma once

#include "common/base/reader.h"
#include "common/base/writer.h"

#include <pthread.h>
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
	bool is_made_up; /* the answer to that */
	bool is_on;      /* else it passes on what comes, and keeps nothing */
} tpm_tap;

/* A signer's thread may be with the TPM for longer than its test. */
static pthread_mutex_t tpm_tap_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether the TPM is not asked. */
static inline bool tpm_tap_note(const uint8_t *command, size_t len)
{
	struct reader r = reader_over(command, len);

	(void)reader_be16(&r);
	(void)reader_be32(&r);
	pthread_mutex_lock(&tpm_tap_lock);
	tpm_tap.asked = reader_be32(&r);
	tpm_tap.count += tpm_tap.asked == tpm_tap.refused;
	tpm_tap.is_made_up =
		tpm_tap.from && tpm_tap.asked == tpm_tap.refused && tpm_tap.count >= tpm_tap.from;
	if (tpm_tap.is_on)
		writer_bytes(&tpm_tap.seen, command, len);
	const bool is_made_up = tpm_tap.is_made_up;
	pthread_mutex_unlock(&tpm_tap_lock);
	return is_made_up;
}

static inline TSS2_RC tpm_tap_transmit(TSS2_TCTI_CONTEXT *tcti, size_t len, const uint8_t *command)
{
	return tpm_tap_note(command, len) ? TSS2_RC_SUCCESS : tpm_tap.transmit(tcti, len, command);
}

static inline bool tpm_tap_answers(size_t *len, uint8_t *response)
{
	pthread_mutex_lock(&tpm_tap_lock);
	const uint32_t code = tpm_tap.code;
	const uint8_t made[TPM_TAP_HEAD] = { 0x80,
					     0x01,
					     0,
					     0,
					     0,
					     TPM_TAP_HEAD,
					     (uint8_t)(code >> 24),
					     (uint8_t)(code >> 16),
					     (uint8_t)(code >> 8),
					     (uint8_t)code };
	const bool is_made_up = tpm_tap.is_made_up;

	if (is_made_up) {
		*len = sizeof(made);
		if (response)
			memcpy(response, made, sizeof(made));
	}
	pthread_mutex_unlock(&tpm_tap_lock);
	return is_made_up;
}

static inline TSS2_RC tpm_tap_receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *response,
				      int32_t timeout)
{
	TSS2_RC code = TSS2_RC_SUCCESS;

	if (!tpm_tap_answers(len, response))
		code = tpm_tap.receive(tcti, len, response, timeout);
	pthread_mutex_lock(&tpm_tap_lock);
	if (code == TSS2_RC_SUCCESS && response && tpm_tap.is_on)
		writer_bytes(&tpm_tap.seen, response, *len);
	pthread_mutex_unlock(&tpm_tap_lock);
	return code;
}

/* Of AddressSanitizer, where it is there. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

TSS2_RC __real_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti);
TSS2_RC __wrap_Tss2_TctiLdr_Initialize(const char *words, TSS2_TCTI_CONTEXT **tcti)
{
	TSS2_RC code;

	/* tpm2-tss 4.1 (Debian 13) loses what it made for a TPM that does not answer. */
	if (__lsan_disable)
		__lsan_disable();
	code = __real_Tss2_TctiLdr_Initialize(words, tcti);
	if (__lsan_enable)
		__lsan_enable();
	if (code == TSS2_RC_SUCCESS) {
		pthread_mutex_lock(&tpm_tap_lock);
		if (!tpm_tap.transmit) {
			tpm_tap.transmit = TSS2_TCTI_TRANSMIT(*tcti);
			tpm_tap.receive = TSS2_TCTI_RECEIVE(*tcti);
		}
		pthread_mutex_unlock(&tpm_tap_lock);
		TSS2_TCTI_TRANSMIT(*tcti) = tpm_tap_transmit;
		TSS2_TCTI_RECEIVE(*tcti) = tpm_tap_receive;
	}
	return code;
}

static inline void tpm_tap_turn(bool on)
{
	pthread_mutex_lock(&tpm_tap_lock);
	writer_done(&tpm_tap.seen);
	tpm_tap.seen = writer_up_to(TPM_TAP_MAX);
	tpm_tap.from = tpm_tap.count = 0;
	tpm_tap.is_made_up = false;
	tpm_tap.is_on = on;
	pthread_mutex_unlock(&tpm_tap_lock);
}

static inline void tpm_tap_begin(void)
{
	tpm_tap_turn(true);
}

static inline void tpm_tap_end(void)
{
	tpm_tap_turn(false);
}

static inline void tpm_tap_refuse(TPM2_CC command, TSS2_RC code, int from)
{
	tpm_tap_begin();
	pthread_mutex_lock(&tpm_tap_lock);
	tpm_tap.refused = command;
	tpm_tap.code = code;
	tpm_tap.from = from;
	pthread_mutex_unlock(&tpm_tap_lock);
}

static inline bool tpm_tap_has_seen(const void *bytes, size_t len)
{
	pthread_mutex_lock(&tpm_tap_lock);
	const bool has = tpm_tap.seen.len &&
			 memmem(tpm_tap.seen.bytes, tpm_tap.seen.len, bytes, len) != NULL;
	pthread_mutex_unlock(&tpm_tap_lock);
	return has;
}
