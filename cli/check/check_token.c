/* SPDX-License-Identifier: Apache-2.0 */
/* check_token.c — COSE_Sign1, EAT and CoRIM by themselves. */
#include "attestation/corim/corim.h"
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/snp/snp_cert_table.h"
#include "attestation/token/eat_agree.h"
#include "cli/check/check.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

/* More than a token may have: a nonce that is too long is refused by its check, not as a wrong
 * call. */
enum { NONCE_MAX = 256 };

/* ---- cose ---- */

static int run_cose(const struct check_input *in, struct verdict *v, struct writer *show,
		    struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *aad = NULL;
	size_t aad_len;
	struct cose m;
	struct err why;

	if (check_option_key(in, "key", CHECK_TOKEN_KEY, v, &key, e) < 0 ||
	    check_option_file(in, "aad", &aad, &aad_len, e) < 0)
		return err_code(e);
	verdict_require(v, CHECK_TOKEN_COSE);
	verdict_require(v, CHECK_TOKEN_SIGNATURE);
	if (cose_parse(in->files[0].bytes, in->files[0].len, NULL, 0, &m, &why) < 0) {
		verdict_err(v, CHECK_TOKEN_COSE, &why);
		return 0;
	}
	verdict_check(v, CHECK_TOKEN_COSE, true, NULL, NULL);
	if (key && cose_verify(&m, key, aad, aad_len, &why) < 0)
		verdict_err(v, CHECK_TOKEN_SIGNATURE, &why);
	else if (key)
		verdict_check(v, CHECK_TOKEN_SIGNATURE, true, NULL, NULL);
	json_put_key(show, "alg");
	writer_printf(show, "\"%s\"", cose_algorithm_name(m.algorithm));
	json_put_hex(show, "payload", m.payload, m.payload_len);
	cose_done(&m);
	return 0;
}

const struct check_kind check_cose = {
	.name = "cose",
	.help = "a COSE_Sign1, with --key and --aad",
	.takes = (const char *const[]){ "key", "aad", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_cose,
};

/* ---- token ---- */

/* A report, and nothing behind it but a certificate table. */
static int parse_report(struct span raw, struct snp_report *report, struct err *why)
{
	struct snp_cert_table certs;
	size_t len = raw.len < SNP_REPORT_LEN ? raw.len : SNP_REPORT_LEN;

	if (snp_report_parse(raw.bytes, len, report, why) < 0)
		return err_code(why);
	if (raw.len == len)
		return 0;
	return snp_cert_table_parse((struct span){ raw.bytes + len, raw.len - len }, &certs, why);
}

/* The report beside the TPM's message, and the one inside it, are the same if both are there. */
static int agree_snp_vtpm(const struct eat *t, const struct tpm_evidence *a, struct err *why)
{
	struct span beside = { t->tee_report.bytes, t->tee_report.len };
	struct sevsnp_attestation s;
	struct snp_report report;

	if (!beside.len && !a->sev_snp.len)
		return err_set(why, ERR_DENIED, "no TEE report beside the TPM's quotes");
	if (beside.len && parse_report(beside, &report, why) < 0)
		return err_wrap(why, "x-cocos-tee-report");
	if (a->sev_snp.len) {
		if (sevsnp_attestation_parse(a->sev_snp, &s, why) < 0 ||
		    snp_report_parse(s.report, sizeof(s.report), &report, why) < 0)
			return err_code(why);
		if (beside.len && memcmp(beside.bytes, s.report, SNP_REPORT_LEN) != 0)
			return err_set(why, ERR_DENIED, "x-cocos-tee-report is another report");
	}
	return eat_agree_snp(t, &report, why);
}

static int agree_tpm(const struct eat *t, struct span raw, struct err *why)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));

	if (!a)
		return err_nomem(why);
	if (tpm_attestation_parse(raw, a, why) < 0 || eat_agree_tpm(t, a, why) < 0)
		return err_code(why);
	return t->platform == EVIDENCE_VTPM ? 0 : agree_snp_vtpm(t, a, why);
}

/* What the token's other claims say is what its report says. */
static int agree(const struct eat *t, struct err *why)
{
	struct span raw = { t->raw_report.bytes, t->raw_report.len };
	struct snp_report report;
	struct tdx_quote quote;

	switch (t->platform) {
	case EVIDENCE_SNP:
		if (parse_report(raw, &report, why) < 0)
			return err_code(why);
		return eat_agree_snp(t, &report, why);
	case EVIDENCE_TDX:
		if (tdx_quote_parse(raw.bytes, raw.len, &quote, why) < 0)
			return err_code(why);
		return eat_agree_tdx(t, &quote, why);
	case EVIDENCE_VTPM:
	case EVIDENCE_SNP_VTPM:
		return agree_tpm(t, raw, why);
	default:
		return err_set(why, ERR_DENIED, "a token of platform %s carries nothing to judge",
			       evidence_kind_platform(t->platform));
	}
}

static void judge_token(const struct check_input *in, const struct eat *t, EVP_PKEY *key,
			const uint8_t *nonce, size_t nonce_len, struct verdict *v)
{
	struct err why;

	if (key)
		verdict_require_step(v, CHECK_TOKEN_SIGNATURE, eat_verify(t, key, &why), &why);
	verdict_require_step(v, CHECK_TOKEN_TIME, eat_check_time(t, in->at, in->skew, &why), &why);
	verdict_require_step(v, CHECK_TOKEN_NONCE, eat_check_nonce(t, nonce, nonce_len, &why),
			     &why);
	verdict_require_step(v, CHECK_TOKEN_AGREES, agree(t, &why), &why);
}

static void show_token(const struct eat *t, struct writer *w)
{
	const struct datum *iss = datum_get(t->claims, 1);

	json_put_key(w, "iss");
	if (iss && iss->type == DATUM_TEXT)
		json_quote_shown(w, (const char *)iss->bytes, iss->len);
	else
		writer_text(w, "null");
	writer_printf(w, ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"platform_type\":\"%s\"",
		      t->issued, t->expires, evidence_kind_platform(t->platform));
	json_put_hex(w, "eat_nonce", t->nonce.bytes, t->nonce.len);
	json_put_hex(w, "raw_report", t->raw_report.bytes, t->raw_report.len);
}

static int run_token(const struct check_input *in, struct verdict *v, struct writer *show,
		     struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t nonce[NONCE_MAX];
	size_t nonce_len;
	struct eat t;
	struct err why;

	if (check_option_key(in, "key", CHECK_TOKEN_KEY, v, &key, e) < 0 ||
	    check_option_hex(in, "nonce", nonce, sizeof(nonce), &nonce_len, e) < 0)
		return err_code(e);
	if (!cli_value(in->cli, "nonce"))
		return err_set(e, ERR_INVALID, "--nonce is missing: it says what the token is for");
	verdict_require(v, CHECK_TOKEN_FORM);
	verdict_require(v, CHECK_TOKEN_SIGNATURE);
	if (eat_parse(in->files[0].bytes, in->files[0].len, &t, &why) < 0) {
		verdict_err(v, CHECK_TOKEN_FORM, &why);
		return 0;
	}
	verdict_check(v, CHECK_TOKEN_FORM, true, NULL, NULL);
	judge_token(in, &t, key, nonce, nonce_len, v);
	show_token(&t, show);
	eat_done(&t);
	return 0;
}

const struct check_kind check_token = {
	.name = "token",
	.help = "an EAT, with --key and --nonce",
	.takes = (const char *const[]){ "key", "nonce", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_token,
};

/* ---- corim ---- */

static int run_corim(const struct check_input *in, struct verdict *v, struct writer *show,
		     struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) struct corim *c = malloc(sizeof(*c));
	struct err why;

	if (!c)
		return err_nomem(e);
	bool wanted = cli_value(in->cli, "key");
	if (wanted && check_option_key(in, "key", CHECK_TOKEN_CORIM, v, &key, e) < 0)
		return err_code(e);
	if (wanted && !key)
		return 0;
	if (corim_parse(in->files[0].bytes, in->files[0].len, key, in->at, c, &why) < 0) {
		/* What is another's or out of its time is denied, before the rest is read. */
		verdict_err(v, why.code == ERR_DENIED ? CHECK_TOKEN_CORIM_HOLDS : CHECK_TOKEN_CORIM,
			    &why);
		return 0;
	}
	verdict_require_step(v, CHECK_TOKEN_CORIM, 0, NULL);
	verdict_require_step(v, CHECK_TOKEN_CORIM_HOLDS, 0, NULL);
	json_put_key(show, "fields");
	corim_show(c, show);
	json_put_key(show, "stepped_over");
	corim_show_stepped_over(c, show);
	corim_done(c);
	return 0;
}

const struct check_kind check_corim = {
	.name = "corim",
	.help = "a CoRIM, signed if --key is given",
	.takes = (const char *const[]){ "key", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_corim,
};
