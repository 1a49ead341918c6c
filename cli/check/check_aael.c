/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_aael.c — the text log of an attestation agent (Confidential Containers, AAEL): a first line
 * "INIT algorithm/HEX" gives the register's value to start from; every line, that one included and
 * without its line feed, extends it by its own digest.
 */
#include "cli/check/check_aael.h"

#include "attestation/tpm/tpm_pcrs.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <string.h>

enum { AAEL_MAX = 1 << 20, AAEL_LINE_MAX = 65536 };

static const struct {
	const char *name;
	enum digest_kind kind;
} algorithms[] = {
	{ "sha256", DIGEST_SHA256 },
	{ "sha384", DIGEST_SHA384 },
	{ "sha512", DIGEST_SHA512 },
};

/* "INIT sha384/0000…". */
static int read_init(const char *line, size_t len, enum digest_kind *kind, uint8_t *value,
		     struct err *e)
{
	char text[16 + 2 * DIGEST_MAX + 1];

	if (len < 5 || len - 5 >= sizeof(text) || memcmp(line, "INIT ", 5) != 0)
		return err_set(e, ERR_INVALID, "the first line is not INIT");
	memcpy(text, line + 5, len - 5);
	text[len - 5] = '\0';
	char *slash = strchr(text, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(algorithms); i++)
		if (strncmp(text, algorithms[i].name, (size_t)(slash - text)) == 0 &&
		    algorithms[i].name[slash - text] == '\0') {
			*kind = algorithms[i].kind;
			return hex_decode(slash + 1, value, digest_len(*kind), e);
		}
	return err_set(e, ERR_INVALID, "INIT names an unknown algorithm");
}

static int extend(enum digest_kind kind, uint8_t *value, const char *line, size_t len,
		  struct err *e)
{
	uint8_t event[DIGEST_MAX];

	if (digest(kind, line, len, event, e) < 0)
		return err_code(e);
	const struct digest_part parts[] = { { value, digest_len(kind) },
					     { event, digest_len(kind) } };
	return digest_parts(kind, parts, 2, value, e);
}

static int replay(struct span log, enum digest_kind *kind, uint8_t *value, size_t *events,
		  struct err *e)
{
	const char *at = (const char *)log.bytes, *end = at + log.len;
	size_t number = 0;

	if (!log.len || log.len > AAEL_MAX || !utf8_valid(log.bytes, log.len))
		return err_set(e, ERR_INVALID, "not a text of 1 to %d bytes", AAEL_MAX);
	for (; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		if (!len || len > AAEL_LINE_MAX)
			return err_set(e, ERR_INVALID, "line %zu has %zu bytes", number + 1, len);
		if ((number == 0 && read_init(at, len, kind, value, e) < 0) ||
		    extend(*kind, value, at, len, e) < 0)
			return err_code(e);
		at += len + 1;
	}
	*events = number - 1;
	return 0;
}

/* The one register that --pcrs names: nothing would judge a second one. */
static int check_value(const struct tpm_pcrs *pcrs, enum digest_kind kind, const uint8_t *value,
		       struct verdict *v)
{
	const struct tpm_pcr_bank *bank = tpm_pcrs_bank(pcrs, kind);

	verdict_require(v, CHECK_LOG_REPLAY);
	if (pcrs->count != 1 || (bank && (bank->present & (bank->present - 1)))) {
		verdict_check(v, CHECK_LOG_REPLAY, false, "none or several registers in --pcrs",
			      "the one that this log extends");
		return 0;
	}
	for (unsigned i = 0; bank && i < TPM_PCR_COUNT; i++)
		if (bank->present & UINT32_C(1) << i) {
			verdict_bytes(v, CHECK_LOG_REPLAY, value, bank->values[i],
				      digest_len(kind));
			return 0;
		}
	verdict_check(v, CHECK_LOG_REPLAY, false, "no value of that algorithm in --pcrs",
		      "the register's value");
	return 0;
}

int check_aael(const struct check_input *in, const struct tpm_pcrs *pcrs, struct verdict *v,
	       struct writer *show, struct err *e)
{
	uint8_t value[DIGEST_MAX] = { 0 };
	enum digest_kind kind = DIGEST_SHA384;
	size_t events = 0;
	struct err why;

	verdict_require(v, CHECK_LOG_FORMAT);
	if (replay(in->files[0], &kind, value, &events, &why) < 0) {
		verdict_err(v, CHECK_LOG_FORMAT, &why);
		return 0;
	}
	verdict_check(v, CHECK_LOG_FORMAT, true, NULL, NULL);
	json_put_key(show, "events");
	writer_printf(show, "%zu", events);
	json_put_hex(show, "value", value, digest_len(kind));
	return cli_value(in->cli, "pcrs") ? check_value(pcrs, kind, value, v) : 0;
}
