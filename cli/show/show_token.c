/* SPDX-License-Identifier: Apache-2.0 */
/* show_token.c — TPM messages and tokens, and any of it as text. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/token/eat.h"
#include "attestation/tpm/tpm_attest.h"
#include "attestation/tpm/tpm_public.h"
#include "cli/show/show.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

static int show_quote(const struct tpm_evidence_quote *quote, struct writer *w, struct err *e)
{
	struct tpm_attest a;

	if (tpm_attest_parse(quote->quote, &a, e) < 0)
		return err_code(e);
	writer_printf(w,
		      "{\"reset_count\":%u,\"restart_count\":%u,\"clock\":%" PRIu64 ",\"safe\":%s",
		      a.reset_count, a.restart_count, a.clock, a.safe ? "true" : "false");
	writer_printf(w, ",\"firmware_version\":%" PRIu64, a.firmware_version);
	json_put_hex(w, "qualified_signer", a.qualified_signer.bytes, a.qualified_signer.len);
	json_put_hex(w, "extra_data", a.extra_data.bytes, a.extra_data.len);
	json_put_hex(w, "pcr_digest", a.pcr_digest.bytes, a.pcr_digest.len);
	writer_text(w, ",\"pcrs\":{");
	for (size_t b = 0; b < quote->pcrs.count; b++) {
		const struct tpm_pcr_bank *bank = &quote->pcrs.banks[b];

		writer_printf(w, "%s\"%s\":{", b ? "," : "", tpm_bank_name(bank->kind));
		for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
			char index[4];

			snprintf(index, sizeof(index), "%u", i);
			if (bank->present & UINT32_C(1) << i)
				json_put_hex(w, index, bank->values[i], digest_len(bank->kind));
		}
		writer_text(w, "}");
	}
	writer_text(w, "}}");
	return 0;
}

int show_tpm(struct span evidence, struct writer *w, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));

	if (!a)
		return err_nomem(e);
	if (tpm_attestation_parse(evidence, a, e) < 0)
		return err_code(e);
	json_put_hex(w, "ak_pub", a->ak_public.bytes, a->ak_public.len);
	writer_text(w, ",\"quotes\":[");
	for (size_t i = 0; i < a->quote_count; i++) {
		writer_text(w, i ? "," : "");
		if (show_quote(&a->quotes[i], w, e) < 0)
			return err_code(e);
	}
	writer_printf(w, "],\"event_log_bytes\":%zu,\"ak_cert_bytes\":%zu", a->event_log.len,
		      a->ak_cert.len);
	if (a->sev_snp.len) {
		struct sevsnp_attestation s;

		if (sevsnp_attestation_parse(a->sev_snp, &s, e) < 0)
			return err_code(e);
		return show_snp((struct span){ s.report, sizeof(s.report) }, w, e);
	}
	return 0;
}

static int show_evidence(const struct eat *t, struct writer *w, struct err *e)
{
	struct span raw = { t->raw_report.bytes, t->raw_report.len };

	/* The token says what it is; one token is never inside of another. */
	if (t->platform != EVIDENCE_EAT && show_kind_is_known(t->platform))
		return show_kind(t->platform, raw, w, e);
	json_put_hex(w, "raw_report", raw.bytes, raw.len);
	return 0;
}

/* ---- a token's claims ---- */

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

			json_quote(w, q.text, strlen(q.text));
			return;
		}
	json_quote(w, (const char *)bytes, len);
}

/* A claim that is made of others is shown as the CBOR that it is. */
static void show_claim(const struct eat *t, const char *name, const struct datum *claim,
		       struct writer *w)
{
	int64_t number;

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

static void show_claims(const struct eat *t, struct writer *w)
{
	const struct {
		const char *name;
		size_t len;
	} sizes[] = {
		{ "x-cocos-tee-report_bytes", t->tee_report.len },
		{ "x-cocos-run-evidence_bytes", t->run_evidence.len },
		{ "x-cocos-event-log_bytes", t->event_log.len },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbered_claims); i++) {
		const struct datum *claim = datum_get(t->claims, numbered_claims[i].key);

		if (claim && !datum_absent(claim))
			show_claim(t, numbered_claims[i].name, claim, w);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (sizes[i].len) {
			json_put_key(w, sizes[i].name);
			writer_printf(w, "%zu", sizes[i].len);
		}
}

int show_token(struct span evidence, struct writer *w, struct err *e)
{
	struct eat t;

	if (eat_parse(evidence.bytes, evidence.len, &t, e) < 0)
		return err_code(e);
	json_put_key(w, "platform_type");
	writer_printf(w, "\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64,
		      evidence_kind_platform(t.platform), t.issued, t.expires);
	json_put_hex(w, "eat_nonce", t.nonce.bytes, t.nonce.len);
	if (eat_nonce_use_name(t.nonce_use))
		writer_printf(w, ",\"x-cocos-nonce-use\":\"%s\"", eat_nonce_use_name(t.nonce_use));
	if (t.spki)
		json_put_hex(w, "cnf", t.spki, t.spki_len);
	if (t.run.len)
		json_put_hex(w, "x-cocos-run", t.run.bytes, t.run.len);
	show_claims(&t, w);
	int failed = show_evidence(&t, w, e);
	eat_done(&t);
	return failed;
}

/* ---- text ---- */

static void print_value(const struct json *v, char *path, size_t used, size_t room, FILE *out)
{
	if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
		for (size_t i = 0; i < v->count; i++) {
			int n = v->type == JSON_OBJECT
					? snprintf(path + used, room - used, "%s%s",
						   used ? "." : "", v->items[i].key)
					: snprintf(path + used, room - used, "[%zu]", i);

			if (n > 0 && (size_t)n < room - used)
				print_value(&v->items[i], path, used + (size_t)n, room, out);
			path[used] = '\0';
		}
		return;
	}
	fprintf(out, "%s: %s\n", path,
		v->type == JSON_BOOL ? (v->boolean ? "true" : "false")
		: v->text            ? v->text
				     : "");
}

int show_text(const struct writer *members, FILE *out, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(members->len + 2);
	CLEANUP(json_free) struct json *root = NULL;
	char path[512] = "";

	writer_text(&w, "{");
	writer_bytes(&w, members->bytes, members->len);
	writer_text(&w, "}");
	if (writer_check(&w, "output", e) < 0 || json_parse(w.bytes, w.len, &root, e) < 0)
		return err_code(e);
	print_value(root, path, 0, sizeof(path), out);
	return 0;
}
