/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event logs that explain registers, in the platform's form: for a TPM crypto-agile (TCG PFP
 * 1.06, section 10), for TDX as a CC log (UEFI 2.10, section 38). The agent's events have the type
 * EV_EVENT_TAG and "cocos-…" as data.
 */
#include "agent/keeper/keeper_state.h"
#include "attestation/logs/event_log.h"
#include "attestation/tpm/tpm_alg.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

enum {
	EV_EVENT_TAG = 6,
	SHA1_LEN = 20,
	CC_RTMR3 = 4,
	CLASS_LEN = 4,
};

/* Both kinds of log begin with this event, of the older form. `count` banks follow from `algs`. */
static void write_spec_id(struct writer *w, const uint16_t *algs, const uint16_t *sizes,
			  size_t count)
{
	size_t len_at;

	writer_le32(w, 0);
	writer_le32(w, EVENT_NO_ACTION);
	writer_zeros(w, SHA1_LEN);
	len_at = 16 + CLASS_LEN + 4 + 4 + 4 * count + 1;
	writer_le32(w, (uint32_t)len_at);
	writer_bytes(w, "Spec ID Event03", 16);
	writer_zeros(w, CLASS_LEN);
	writer_u8(w, 0); /* 2.0, errata 0, UINTN of 8 bytes */
	writer_u8(w, 2);
	writer_u8(w, 0);
	writer_u8(w, 2);
	writer_le32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		writer_le16(w, algs[i]);
		writer_le16(w, sizes[i]);
	}
	writer_u8(w, 0);
}

/* One of ours with a digest for each of the log's banks; of a bank that was not extended it is zero,
 * which no quote of ours covers. */
static void write_event(struct writer *w, uint32_t reg, const struct keeper_log_entry *entry,
			const struct event_bank *banks, size_t count)
{
	const char *name = keeper_log_event_name(entry->event);
	static const char prefix[] = "cocos-";

	writer_le32(w, reg);
	writer_le32(w, EV_EVENT_TAG);
	writer_le32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		writer_le16(w, banks[i].algorithm);
		if (banks[i].algorithm == TPM_ALG_SHA256)
			writer_bytes(w, entry->sha256_bank, sizeof(entry->sha256_bank));
		else if (banks[i].algorithm == TPM_ALG_SHA384)
			writer_bytes(w, entry->sha384_bank, sizeof(entry->sha384_bank));
		else
			writer_zeros(w, banks[i].size);
	}
	writer_le32(w, (uint32_t)(strlen(prefix) + strlen(name)));
	writer_text(w, prefix);
	writer_text(w, name);
}

static void write_events(const struct keeper_state *state, bool cc, const struct event_bank *banks,
			 size_t count, struct writer *w)
{
	size_t last = state->count;

	if (cc && !state->has_rtmr)
		return;
	/* Each manifest resets its register: only the last one is in there. */
	for (size_t i = 0; i < state->count; i++)
		if (state->log[i].pcr == KEEPER_PCR_MANIFEST)
			last = i;
	for (size_t i = 0; i < state->count; i++) {
		const struct keeper_log_entry *entry = &state->log[i];

		if (entry->pcr == KEEPER_PCR_MANIFEST && (cc || i != last))
			continue;
		write_event(w, cc ? CC_RTMR3 : entry->pcr, entry, banks, count);
	}
}

static int write_own(const struct keeper_state *state, bool cc, struct writer *w, struct err *e)
{
	static const struct event_bank banks[] = { { .algorithm = TPM_ALG_SHA384, .size = 48 },
						   { .algorithm = TPM_ALG_SHA256, .size = 32 } };
	static const uint16_t algs[] = { TPM_ALG_SHA384, TPM_ALG_SHA256 }, sizes[] = { 48, 32 };
	size_t count = cc ? 1 : 2;

	write_spec_id(w, algs, sizes, count);
	write_events(state, cc, banks, count, w);
	return writer_check(w, "the agent's event log", e);
}

static int firmware_path(const struct keeper_state *state, bool cc, char **path, struct err *e)
{
	bool own_kernel = !state->tcti && !state->tsm && !state->development;

	*path = NULL;
	if (cc)
		return own_kernel ? text_format(path, e, "/sys/firmware/acpi/tables/data/CCEL") : 0;
	if (!own_kernel && !state->securityfs)
		return 0;
	return text_format(path, e, "%s/tpm0/binary_bios_measurements",
			   state->securityfs ? state->securityfs : "/sys/kernel/security");
}

/* The firmware's log with ours behind it; nothing where there is none that can be read. A verifier
 * that needs one refuses then, and what was measured is in the registers anyway. */
static void write_whole(const struct keeper_state *state, bool cc, const char *path,
			struct writer *w)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len = 0;
	struct err e;

	if (!path || access(path, R_OK) < 0)
		return;
	if (file_read(path, KEEPER_LOG_MAX, &bytes, &len, &e) < 0 ||
	    event_log_parse((struct span){ bytes, len }, (struct event_log_form){ .cc = cc }, &log,
			    &e) < 0) {
		log_warn("the firmware's event log is left out: %s", e.text);
		return;
	}
	if (log.legacy)
		return; /* SHA-1 alone, of which nothing is quoted */
	writer_bytes(w, bytes, log.end);
	write_events(state, cc, log.banks, log.bank_count, w);
	if (w->bad) {
		writer_done(w);
		log_warn("the firmware's event log is left out: it is too long");
	}
}

int keeper_write_logs(const struct keeper_state *state, enum evidence_kind platform,
		      struct writer *whole, struct writer *own, struct err *e)
{
	bool cc = platform == EVIDENCE_TDX;
	CLEANUP(free) char *path = NULL;

	if (platform == EVIDENCE_SNP)
		return 0; /* no register holds events */
	if (firmware_path(state, cc, &path, e) < 0)
		return err_code(e);
	write_whole(state, cc, path, whole);
	return cc && !state->has_rtmr ? 0 : write_own(state, cc, own, e);
}
