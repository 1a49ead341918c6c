/* SPDX-License-Identifier: Apache-2.0 */
/* claims_token.c — a token's claims, beside the evidence inside. */
#include "attestation/claims/claims_fields.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Those that have a number (IANA, CWT claims), beside the ones that every token of ours has. */
/* clang-format off */
static const struct {
	int64_t key;
	const char *name;
} numbered_claims[] = {
	{ 1, "iss" },
	{ 2, "sub" },
	{ 5, "nbf" },
	{ 256, "ueid" },
	{ 258, "oemid" },
	{ 259, "hwmodel" },
	{ 260, "hwversion" },
	{ 262, "intuse" },
	{ 263, "dbgstat" },
	{ 265, "measurements" },
	{ 266, "submods" },
	{ 270, "swname" },
	{ 271, "swversion" },
};
/* clang-format on */

/* As it is, unless a terminal or a reader of JSON that refuses zero characters can't take it. */
static void put_text(struct writer *w, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < ' ' || bytes[i] == 0x7F || bytes[i] == 0xC2) {
			const struct log_quoted q = log_quote_bytes(bytes, len);

			json_quote_shown(w, q.text, strlen(q.text));
			return;
		}
	json_quote_shown(w, (const char *)bytes, len);
}

static void put_size(const char *name, size_t len, struct writer *w)
{
	char member[64];

	snprintf(member, sizeof(member), "%s_bytes", name);
	json_put_key(w, member);
	writer_printf(w, "%zu", len);
}

/* A claim that is made of others is shown as the CBOR that it is, one that is too long by its size. */
static void put_claim(const struct eat *t, const char *name, const struct datum *claim, size_t max,
		      struct writer *w)
{
	int64_t number;

	if (claim->end - claim->start > max) {
		put_size(name, claim->end - claim->start, w);
		return;
	}
	if (claim->type == DATUM_BYTES) {
		json_put_hex(w, name, claim->bytes, claim->len);
		return;
	}
	if (claim->type != DATUM_TEXT && claim->type != DATUM_BOOL && !datum_int(claim, &number)) {
		json_put_hex(w, name, (const uint8_t *)t->cose.payload + claim->start,
			     claim->end - claim->start);
		return;
	}
	json_put_key(w, name);
	if (claim->type == DATUM_TEXT)
		put_text(w, claim->bytes, claim->len);
	else if (claim->type == DATUM_BOOL)
		writer_text(w, claim->boolean ? "true" : "false");
	else
		writer_printf(w, "%" PRId64, number);
}

static void put_claims(const struct eat *t, size_t max, struct writer *w)
{
	const struct {
		const char *name;
		size_t len;
	} sizes[] = {
		{ "x-cocos-tee-report", t->tee_report.len },
		{ "x-cocos-run-evidence", t->run_evidence.len },
		{ "x-cocos-event-log", t->event_log.len },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbered_claims); i++) {
		const struct datum *claim = datum_get(t->claims, numbered_claims[i].key);

		if (claim && !datum_absent(claim))
			put_claim(t, numbered_claims[i].name, claim, max, w);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (sizes[i].len)
			put_size(sizes[i].name, sizes[i].len, w);
}

void claims_token(const struct eat *t, size_t max, struct writer *w)
{
	json_put_key(w, "platform_type");
	writer_printf(w, "\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64,
		      evidence_kind_platform(t->platform), t->issued, t->expires);
	json_put_hex(w, "eat_nonce", t->nonce.bytes, t->nonce.len);
	if (eat_nonce_use_name(t->nonce_use))
		writer_printf(w, ",\"x-cocos-nonce-use\":\"%s\"", eat_nonce_use_name(t->nonce_use));
	if (t->spki)
		json_put_hex(w, "cnf", t->spki, t->spki_len);
	put_claims(t, max, w);
}
