/* SPDX-License-Identifier: Apache-2.0 */
/* check_channel.c — what passes on the attested channel: frames, requests, authenticators. */
#include "attestation/channel/authenticator.h"
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/snp/snp_report.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/token/eat.h"
#include "attestation/tpm/tpm_attest.h"
#include "cli/check/check.h"
#include "common/base/json.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* ---- request, frame ---- */

static int run_request(const struct check_input *in, struct verdict *v, struct writer *show,
		       struct err *e)
{
	struct ea_request request;
	struct err why;

	verdict_require(v, CHECK_PARSE_REQUEST);
	if (ea_request_parse(in->files[0].bytes, in->files[0].len, &request, &why) < 0) {
		verdict_err(v, CHECK_PARSE_REQUEST, &why);
		return 0;
	}
	verdict_check(v, CHECK_PARSE_REQUEST, true, NULL, NULL);
	json_put_hex(show, "context", request.context, EA_CONTEXT_LEN);
	json_put_key(show, "signature_algorithms");
	writer_text(show, "[");
	for (size_t i = 0; i < request.scheme_count; i++)
		writer_printf(show, "%s\"0x%04x\"", i ? "," : "", request.schemes[i]);
	writer_text(show, "]");
	return 0;
}

const struct check_kind check_request = {
	.name = "request",
	.help = "an authenticator request",
	.takes = (const char *const[]){ NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_request,
};

/* One frame of either type, whole. */
static int run_frame(const struct check_input *in, struct verdict *v, struct writer *show,
		     struct err *e)
{
	const struct span f = in->files[0];
	size_t len = 0;
	struct err why = { 0 };
	bool good = false;

	verdict_require(v, CHECK_PARSE_FRAME);
	if (f.len < EA_FRAME_HEAD)
		err_set(&why, ERR_INVALID, "frame: %zu bytes; its head has %d", f.len,
			EA_FRAME_HEAD);
	else if (ea_frame_parse_head(f.bytes,
				     f.bytes[0] == EA_FRAME_AUTHENTICATOR ? EA_FRAME_AUTHENTICATOR
									  : EA_FRAME_REQUEST,
				     &len, &why) == 0) {
		good = len == f.len - EA_FRAME_HEAD;
		err_set(&why, ERR_INVALID, "frame: %zu bytes announced, %zu there", len,
			f.len - EA_FRAME_HEAD);
	}
	if (!good) {
		verdict_err(v, CHECK_PARSE_FRAME, &why);
		return 0;
	}
	verdict_check(v, CHECK_PARSE_FRAME, true, NULL, NULL);
	json_put_key(show, "type");
	writer_printf(show, "%u", f.bytes[0]);
	json_put_key(show, "length");
	writer_printf(show, "%zu", len);
	return 0;
}

const struct check_kind check_frame = {
	.name = "frame",
	.help = "one frame of the attested channel",
	.takes = (const char *const[]){ NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_frame,
};

/* ---- authenticator ---- */

/* {"cipher_suite", "handshake_context", "finished_key", "attestation_exporter"} */
static int read_session(const struct check_input *in, struct authenticator_session *s,
			struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	CLEANUP(json_free) struct json *root = NULL;
	const char *suite;
	size_t len;

	if (check_option_file(in, "session", &text, &len, e) < 0)
		return err_code(e);
	if (!len)
		return err_set(e, ERR_INVALID,
			       "--session is missing: an authenticator belongs to one");
	if (json_parse(text, len, &root, e) < 0 ||
	    json_get_string(root, "cipher_suite", &suite, e) < 0)
		return err_wrap(e, "--session");
	s->hash = strstr(suite, "SHA384") ? DIGEST_SHA384 : DIGEST_SHA256;
	if (json_get_hex(root, "handshake_context", s->handshake_context, digest_len(s->hash), e) <
		    0 ||
	    json_get_hex(root, "finished_key", s->finished_key, digest_len(s->hash), e) < 0 ||
	    json_get_hex(root, "attestation_exporter", s->exporter, BINDING_EXPORTER_LEN, e) < 0)
		return err_wrap(e, "--session");
	return 0;
}

static bool report_is_bound(struct span report, const uint8_t *report_data, struct verdict *v)
{
	struct snp_report r;
	struct err why;

	verdict_require(v, CHECK_BINDING_REPORT_DATA);
	if (report.len < SNP_REPORT_LEN ||
	    snp_report_parse(report.bytes, SNP_REPORT_LEN, &r, &why) < 0)
		return verdict_check(v, CHECK_BINDING_REPORT_DATA, false, "no report",
				     "one of this session");
	return verdict_bytes(v, CHECK_BINDING_REPORT_DATA, r.report_data, report_data,
			     sizeof(r.report_data));
}

static bool quotes_are_bound(const struct tpm_evidence *a, const struct binding *b,
			     struct verdict *v)
{
	struct tpm_attest attest;
	struct err why;
	bool good = a->quote_count > 0;

	verdict_require(v, CHECK_BINDING_TPM_NONCE);
	for (size_t i = 0; good && i < a->quote_count; i++)
		good = tpm_attest_parse(a->quotes[i].quote, &attest, &why) == 0 &&
		       attest.extra_data.len == BINDING_TPM_NONCE_LEN &&
		       memcmp(attest.extra_data.bytes, b->tpm_nonce, BINDING_TPM_NONCE_LEN) == 0;
	return verdict_check(v, CHECK_BINDING_TPM_NONCE, good,
			     good ? "of this session" : "another extraData",
			     "SHA-256 of this session's exporter");
}

static bool quote_is_bound(struct span raw, const uint8_t *report_data, struct verdict *v)
{
	CLEANUP(free) struct tdx_quote *q = malloc(sizeof(*q));
	struct err why = { 0 };

	verdict_require(v, CHECK_BINDING_REPORT_DATA);
	if (!q)
		err_nomem(&why);
	if (!q || tdx_quote_parse(raw.bytes, raw.len, q, &why) < 0)
		return verdict_err(v, CHECK_BINDING_REPORT_DATA, &why);
	return verdict_bytes(v, CHECK_BINDING_REPORT_DATA, q->body.reportdata, report_data,
			     sizeof(q->body.reportdata));
}

/* Report data and extraData are of this session; who signed them is not this layer's question. */
static void judge_binding(const struct eat *t, const struct binding *b, struct verdict *v)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));
	struct sevsnp_attestation s;
	struct span raw = { t->raw_report.bytes, t->raw_report.len };
	uint8_t with_ak[BINDING_REPORT_DATA_LEN];
	struct err why;

	if (t->platform == EVIDENCE_SNP) {
		report_is_bound(raw, b->report_data, v);
		return;
	}
	if (t->platform == EVIDENCE_TDX) {
		quote_is_bound(raw, b->report_data, v);
		return;
	}
	if (!evidence_kind_rows[t->platform].tpm) {
		verdict_check(v, CHECK_BINDING_REPORT_DATA, false,
			      evidence_kind_platform(t->platform), evidence_kind_platforms().text);
		return;
	}
	if (!a || tpm_attestation_parse(raw, a, &why) < 0) {
		verdict_err(v, CHECK_BINDING_REPORT_DATA, &why);
		return;
	}
	quotes_are_bound(a, b, v);
	if (t->platform == EVIDENCE_VTPM)
		return;
	if (sevsnp_attestation_parse(a->sev_snp, &s, &why) < 0 ||
	    binding_with_ak(b->report_data, a->ak_public.bytes, a->ak_public.len, with_ak, &why) <
		    0) {
		verdict_err(v, CHECK_BINDING_REPORT_DATA, &why);
		return;
	}
	report_is_bound((struct span){ s.report, sizeof(s.report) }, with_ak, v);
}

static void judge_evidence(const struct check_input *in, const struct authenticator *a,
			   EVP_PKEY *key, struct verdict *v)
{
	struct eat t;
	struct err why;

	verdict_require(v, CHECK_TOKEN_FORM);
	verdict_require(v, CHECK_TOKEN_SIGNATURE);
	verdict_require(v, CHECK_TOKEN_NONCE);
	if (eat_parse(a->evidence, a->evidence_len, &t, &why) < 0) {
		verdict_err(v, CHECK_TOKEN_FORM, &why);
		return;
	}
	verdict_check(v, CHECK_TOKEN_FORM, true, NULL, NULL);
	if (eat_verify(&t, key, &why) < 0)
		verdict_err(v, CHECK_TOKEN_SIGNATURE, &why);
	else
		verdict_check(v, CHECK_TOKEN_SIGNATURE, true, NULL, NULL);
	if (eat_check_time(&t, in->at, in->skew, &why) < 0)
		verdict_err(v, CHECK_TOKEN_TIME, &why);
	if (eat_check_nonce(&t, a->binding.tpm_nonce, BINDING_TPM_NONCE_LEN, &why) < 0)
		verdict_err(v, CHECK_TOKEN_NONCE, &why);
	else
		verdict_check(v, CHECK_TOKEN_NONCE, true, NULL, NULL);
	judge_binding(&t, &a->binding, v);
	eat_done(&t);
}

static int run_authenticator(const struct check_input *in, struct verdict *v, struct writer *show,
			     struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *request = NULL;
	struct authenticator_session session;
	struct authenticator a;
	size_t request_len;
	struct err why;

	if (check_option_key(in, "key", CHECK_TOKEN_KEY, v, &key, e) < 0 ||
	    read_session(in, &session, e) < 0 ||
	    check_option_file(in, "request", &request, &request_len, e) < 0)
		return err_code(e);
	if (!request_len)
		return err_set(e, ERR_INVALID, "--request is missing: what was asked?");
	if (!key) /* refused by its check */
		return 0;
	verdict_require(v, CHECK_BINDING_AUTHENTICATOR);
	if (authenticator_verify(&session, request, request_len, in->files[0].bytes,
				 in->files[0].len, &a, &why) < 0) {
		verdict_err(v, CHECK_BINDING_AUTHENTICATOR, &why);
		return 0;
	}
	verdict_check(v, CHECK_BINDING_AUTHENTICATOR, true, NULL, NULL);
	judge_evidence(in, &a, key, v);
	json_put_hex(show, "report_data", a.binding.report_data, BINDING_REPORT_DATA_LEN);
	json_put_hex(show, "tpm_nonce", a.binding.tpm_nonce, BINDING_TPM_NONCE_LEN);
	authenticator_done(&a);
	return 0;
}

const struct check_kind check_authenticator = {
	.name = "authenticator",
	.help = "an exported authenticator, with --request, --session and --key",
	.takes = (const char *const[]){ "request", "session", "key", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_authenticator,
};
