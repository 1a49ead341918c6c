/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/check_log.h"

#include "cli/check/check_aael.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* ---- pcrs.json ---- */

static int read_index(const char *text, uint32_t *index, struct err *e)
{
	struct json number = { .type = JSON_NUMBER, .text = (char *)(uintptr_t)text };
	uint64_t v;

	if (json_u64(&number, &v, e) < 0)
		return err_code(e);
	if (v >= TPM_PCR_COUNT)
		return err_set(e, ERR_INVALID, "register %s", text);
	*index = (uint32_t)v;
	return 0;
}

static int read_bank(const struct json *bank, struct tpm_pcrs *pcrs, struct err *e)
{
	enum digest_kind kind;

	if (!tpm_bank_parse(bank->key, &kind) || bank->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "bank '%s'", bank->key);
	for (size_t i = 0; i < bank->count; i++) {
		uint8_t value[DIGEST_MAX];
		uint32_t index;
		size_t len;

		if (bank->items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "register %s is not text",
				       bank->items[i].key);
		if (read_index(bank->items[i].key, &index, e) < 0 ||
		    hex_decode_up_to(bank->items[i].text, value, sizeof(value), &len, e) < 0 ||
		    tpm_pcrs_add(pcrs, kind, index, (struct span){ value, len }, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int parse_pcrs(struct span text, struct tpm_pcrs *pcrs, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;

	memset(pcrs, 0, sizeof(*pcrs));
	if (json_parse(text.bytes, text.len, &root, e) < 0)
		return err_wrap(e, "--pcrs");
	if (root->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "--pcrs: %s where an object of banks is wanted",
			       json_type_name(root->type));
	for (size_t i = 0; i < root->count; i++)
		if (read_bank(&root->items[i], pcrs, e) < 0)
			return err_wrap(e, "--pcrs");
	return 0;
}

int check_log_registers(const struct check_input *in, enum check_id id, struct tpm_pcrs *pcrs,
			bool *good, struct verdict *v, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	struct err why;
	size_t len;

	if (check_option_file(in, "pcrs", &text, &len, e) < 0)
		return err_code(e);
	*good = parse_pcrs((struct span){ text, len }, pcrs, &why) == 0;
	if (!*good) {
		memset(pcrs, 0, sizeof(*pcrs));
		verdict_err(v, id, &why);
	}
	return 0;
}

/* ---- a log against registers ---- */

static bool log_speaks_of(const struct event_log *log, unsigned pcr)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].pcr == pcr && log->events[i].type != EVENT_NO_ACTION)
			return true;
	return false;
}

/* The value of a register that nothing was extended into: zeros; for those of a late launch ones,
 * as long as there was none (TCG PC Client Platform TPM Profile, 4.6.2). */
static bool is_untouched(const uint8_t *value, size_t len, unsigned pcr)
{
	bool zeros = true, ones = pcr >= 17 && pcr <= 22;

	for (size_t i = 0; i < len; i++) {
		zeros = zeros && value[i] == 0;
		ones = ones && value[i] == 0xff;
	}
	return zeros || ones;
}

/* Whether the log accounts for that register, and how: a failed check says if it doesn't. `all`:
 * also for those beyond the firmware's, whose software may keep logs of its own. */
static bool register_explained(const struct event_log *log, const struct event_replay *replay,
			       const struct tpm_pcr_bank *bank, unsigned pcr, bool all,
			       struct verdict *v)
{
	enum { FIRMWARE_PCRS = 10 };

	if (log_speaks_of(log, pcr))
		return verdict_bytes(v, CHECK_LOG_REPLAY, replay->values[pcr], bank->values[pcr],
				     replay->len);
	if (is_untouched(bank->values[pcr], replay->len, pcr) || (!all && pcr >= FIRMWARE_PCRS))
		return true;
	return verdict_checkf(v, CHECK_LOG_REPLAY, false, "events that come to its value",
			      "none for register %u", pcr);
}

bool check_log_explains(const struct event_log *log, const struct tpm_pcrs *pcrs, bool all,
			struct verdict *v)
{
	CLEANUP(free) struct event_replay *replay = malloc(sizeof(*replay));
	struct err why;
	size_t compared = 0;

	verdict_require(v, CHECK_LOG_REPLAY);
	for (size_t b = 0; replay && b < pcrs->count; b++) {
		const struct tpm_pcr_bank *bank = &pcrs->banks[b];

		if (event_log_replay(log, bank->kind, replay, &why) < 0)
			return verdict_err(v, CHECK_LOG_REPLAY, &why);
		for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (bank->present & UINT32_C(1) << pcr) {
				compared += log_speaks_of(log, pcr);
				if (!register_explained(log, replay, bank, pcr, all, v))
					return false;
			}
	}
	return verdict_check(v, CHECK_LOG_REPLAY, replay && compared > 0,
			     compared ? "as quoted" : "nothing to compare with",
			     "values that a quote vouches for (--pcrs)");
}

/* ---- log ---- */

static void show_log(const struct event_log *log, struct writer *w)
{
	CLEANUP(free) struct event_replay *replay = malloc(sizeof(*replay));
	struct err ignored;

	json_put_key(w, "format");
	writer_printf(w, "\"%s\",\"algorithms\":[", log->legacy ? "sha1" : "crypto-agile");
	for (size_t b = 0; b < log->bank_count; b++)
		writer_printf(w, "%s\"%s\"", b ? "," : "",
			      log->banks[b].known ? tpm_bank_name(log->banks[b].kind) : "unknown");
	writer_printf(w, "],\"events\":%zu,\"startup_locality\":", log->count);
	writer_printf(w, log->startup_locality < 0 ? "null" : "%d", log->startup_locality);
	json_put_key(w, "replay");
	writer_text(w, "{");
	for (size_t b = 0; replay && b < log->bank_count; b++) {
		char index[4];

		if (!log->banks[b].known ||
		    event_log_replay(log, log->banks[b].kind, replay, &ignored) < 0)
			continue;
		json_put_key(w, tpm_bank_name(log->banks[b].kind));
		writer_text(w, "{");
		for (unsigned pcr = 0; pcr < EVENT_PCRS; pcr++) {
			if (!log_speaks_of(log, pcr))
				continue;
			snprintf(index, sizeof(index), "%u", pcr);
			json_put_hex(w, index, replay->values[pcr], replay->len);
		}
		writer_text(w, "}");
	}
	writer_text(w, "}");
}

static int run_log(const struct check_input *in, struct verdict *v, struct writer *show,
		   struct err *e)
{
	const struct event_log_form form = {
		.cc = cli_flag(in->cli, "cc"),
		.separators_optional = cli_flag(in->cli, "separators_optional"),
	};
	CLEANUP(free) struct tpm_pcrs *pcrs = malloc(sizeof(*pcrs));
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct err why;
	bool given = cli_value(in->cli, "pcrs"), good = true;

	if (!pcrs)
		return err_nomem(e);
	pcrs->count = 0;
	if (given && check_log_registers(in, CHECK_LOG_REGISTERS, pcrs, &good, v, e) < 0)
		return err_code(e);
	if (!good)
		return 0;
	if (cli_flag(in->cli, "aael"))
		return check_aael(in, pcrs, v, show, e);
	verdict_require(v, CHECK_LOG_FORMAT);
	if (event_log_parse(in->files[0], form, &log, &why) < 0) {
		verdict_err(v, CHECK_LOG_FORMAT, &why);
		return 0;
	}
	verdict_check(v, CHECK_LOG_FORMAT, true, NULL, NULL);
	if (given)
		check_log_explains(&log, pcrs, true, v);
	show_log(&log, show);
	return 0;
}

const struct check_kind check_log = {
	.name = "log",
	.help = "an event log, with --pcrs to compare its replay",
	.takes = (const char *const[]){ "pcrs", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_log,
};
