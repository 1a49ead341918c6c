/* SPDX-License-Identifier: Apache-2.0 */
/* show_token.c — TPM messages and tokens, and any of it as text. */
#include <inttypes.h>
#include <string.h>

#include "attestation/eat.h"
#include "attestation/tpm_attest.h"
#include "attestation/tpm_attestation.h"
#include "attestation/tpm_public.h"
#include "cli/show.h"
#include "common/base/json.h"
#include "common/base/writer.h"

DEFINE_CLEANUP(struct json *, json_free)

static int show_quote(const struct tpm_attestation_quote *quote, struct writer *w, struct err *e)
{
	struct tpm_attest a;

	if (tpm_attest_parse(quote->quote, &a, e) < 0)
		return -(int)e->code;
	writer_printf(w, "{\"reset_count\":%u,\"restart_count\":%u,\"clock\":%" PRIu64, a.reset_count,
		      a.restart_count, a.clock);
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
	CLEANUP(free) struct tpm_attestation *a = malloc(sizeof(*a));

	if (!a)
		return err_nomem(e);
	if (tpm_attestation_parse(evidence, a, e) < 0)
		return -(int)e->code;
	json_put_hex(w, "ak_pub", a->ak_public.bytes, a->ak_public.len);
	writer_text(w, ",\"quotes\":[");
	for (size_t i = 0; i < a->quote_count; i++) {
		writer_text(w, i ? "," : "");
		if (show_quote(&a->quotes[i], w, e) < 0)
			return -(int)e->code;
	}
	writer_printf(w, "],\"event_log_bytes\":%zu,\"ak_cert_bytes\":%zu", a->event_log.len,
		      a->ak_cert.len);
	if (a->sev_snp.len) {
		struct sevsnp_attestation s;

		if (sevsnp_attestation_parse(a->sev_snp, &s, e) < 0)
			return -(int)e->code;
		return show_snp((struct span){ s.report, sizeof(s.report) }, w, e);
	}
	return 0;
}

static int show_evidence(const struct eat *t, struct writer *w, struct err *e)
{
	struct span raw = { t->raw_report.bytes, t->raw_report.len };

	switch (t->platform) {
	case EAT_SNP:
		return show_snp(raw, w, e);
	case EAT_TDX:
		return show_tdx(raw, w, e);
	case EAT_VTPM:
	case EAT_SNP_VTPM:
		return show_tpm(raw, w, e);
	default:
		json_put_hex(w, "raw_report", raw.bytes, raw.len);
		return 0;
	}
}

int show_token(struct span evidence, struct writer *w, struct err *e)
{
	struct eat t;

	if (eat_parse(evidence.bytes, evidence.len, &t, e) < 0)
		return -(int)e->code;
	json_put_key(w, "platform_type");
	writer_printf(w, "\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64,
		      eat_platform_name(t.platform), t.issued, t.expires);
	json_put_hex(w, "eat_nonce", t.nonce.bytes, t.nonce.len);
	if (eat_nonce_use_name(t.nonce_use))
		writer_printf(w, ",\"x-cocos-nonce-use\":\"%s\"", eat_nonce_use_name(t.nonce_use));
	if (t.spki)
		json_put_hex(w, "cnf", t.spki, t.spki_len);
	if (t.run.len)
		json_put_hex(w, "x-cocos-run", t.run.bytes, t.run.len);
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
		v->type == JSON_BOOL ? (v->boolean ? "true" : "false") : v->text ? v->text : "");
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
		return -(int)e->code;
	print_value(root, path, 0, sizeof(path), out);
	return 0;
}
