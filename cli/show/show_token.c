/* SPDX-License-Identifier: Apache-2.0 */
/* show_token.c — TPM messages and tokens, and any of it as text. */
#include "attestation/claims/claims_fields.h"
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/token/eat.h"
#include "cli/show/show.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

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
		if (claims_tpm_quote(&a->quotes[i], w, e) < 0)
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

int show_token(struct span evidence, struct writer *w, struct err *e)
{
	struct eat t;

	if (eat_parse(evidence.bytes, evidence.len, &t, e) < 0)
		return err_code(e);
	claims_token(&t, SIZE_MAX, w);
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
