/* SPDX-License-Identifier: Apache-2.0 */
/* check_tpm.c — TPM quotes, AK certificates, Azure's report, each by itself. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/tpm/ak_cert.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/tpm/tpm_appraise.h"
#include "attestation/tpm/tpm_policy.h"
#include "cli/check/check.h"
#include "cli/check/check_log.h"
#include "cli/check/check_policy.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

enum { NONCE_MAX = 128 };

/* ---- Azure's report and runtime data ---- */

/* The report's REPORT_DATA are the digest of the runtime data, which name one signing key. */
static void judge_hcl(const struct hcl_report *hcl, struct span runtime, EVP_PKEY **key,
		      struct verdict *v)
{
	uint8_t wanted[HCL_REPORT_DATA_LEN];
	struct snp_report report;
	struct err why;

	verdict_require(v, CHECK_AK_RUNTIME);
	verdict_require(v, CHECK_AK_KEY);
	if ((hcl->type == HCL_REPORT_SNP &&
	     snp_report_parse(hcl->report.bytes, hcl->report.len, &report, &why) < 0) ||
	    hcl_report_data(runtime, wanted, &why) < 0) {
		verdict_err(v, CHECK_PARSE_REPORT, &why);
		return;
	}
	verdict_bytes(v, CHECK_AK_RUNTIME, hcl_report_found_data(hcl), wanted, sizeof(wanted));
	if (hcl_report_ak(runtime, key, &why) < 0) {
		verdict_err(v, CHECK_AK_KEY, &why);
		return;
	}
	verdict_check(v, CHECK_AK_KEY, true, NULL, NULL);
	verdict_note(v, NOTE_AK_OF_PARAVISOR, "the key's attributes are the paravisor's word");
}

/* The report in `bytes`, with the runtime data that --runtime_data names or its own. */
static int read_hcl(const struct check_input *in, struct span bytes, EVP_PKEY **key,
		    struct verdict *v, struct err *e)
{
	CLEANUP(free) uint8_t *runtime = NULL;
	struct hcl_report hcl;
	size_t len;
	struct err why;

	if (check_option_file(in, "runtime_data", &runtime, &len, e) < 0)
		return err_code(e);
	verdict_require(v, CHECK_PARSE_HCL_REPORT);
	if (hcl_report_parse(bytes, &hcl, &why) < 0) {
		verdict_err(v, CHECK_PARSE_HCL_REPORT, &why);
		return 0;
	}
	verdict_check(v, CHECK_PARSE_HCL_REPORT, true, NULL, NULL);
	judge_hcl(&hcl, len ? (struct span){ runtime, len } : hcl.runtime, key, v);
	return 0;
}

/* ---- quote ---- */

struct quote_files {
	uint8_t *signature, *ak;
	EVP_PKEY *key;
	struct tpm_pcrs pcrs;
	uint8_t nonce[NONCE_MAX];
	struct tpm_quote_input input;
};

static void quote_files_done(struct quote_files *q)
{
	free(q->signature);
	free(q->ak);
	EVP_PKEY_free(q->key);
}

/* A PEM key where nobody has the public area: its attributes are not judged then. */
static int read_ak(const struct check_input *in, struct quote_files *q, struct verdict *v,
		   struct err *e)
{
	struct err why;
	size_t len;

	if (check_option_file(in, "ak", &q->ak, &len, e) < 0)
		return err_code(e);
	if (len > 10 && memcmp(q->ak, "-----BEGIN", 10) == 0) {
		if (key_from_public_pem((const char *)q->ak, len, &q->key, &why) < 0)
			verdict_err(v, CHECK_AK_KEY, &why);
		q->input.ak_key = q->key;
		return 0;
	}
	q->input.ak_public = (struct span){ q->ak, len };
	return 0;
}

static int read_quote(const struct check_input *in, struct quote_files *q, struct verdict *v,
		      struct err *e)
{
	size_t sig_len, nonce_len;
	bool good;

	if (!cli_value(in->cli, "sig") || !cli_value(in->cli, "ak") ||
	    !cli_value(in->cli, "pcrs") || !cli_value(in->cli, "nonce"))
		return err_set(e, ERR_INVALID,
			       "a quote is judged with --sig, --ak, --pcrs, --nonce");
	if (check_option_file(in, "sig", &q->signature, &sig_len, e) < 0 ||
	    read_ak(in, q, v, e) < 0 ||
	    check_option_hex(in, "nonce", q->nonce, sizeof(q->nonce), &nonce_len, e) < 0 ||
	    check_log_registers(in, CHECK_QUOTE_REGISTERS, &q->pcrs, &good, v, e) < 0)
		return err_code(e);
	q->input.quote = in->files[0];
	q->input.signature = (struct span){ q->signature, sig_len };
	q->input.nonce = (struct span){ q->nonce, nonce_len };
	q->input.pcrs = &q->pcrs;
	return 0;
}

static void show_quote(const struct tpm_quote *q, struct writer *w)
{
	enum digest_kind hash;
	const struct tpm_attest *a = &q->attest;

	json_put_hex(w, "qualified_signer", a->qualified_signer.bytes, a->qualified_signer.len);
	json_put_hex(w, "extra_data", a->extra_data.bytes, a->extra_data.len);
	writer_printf(w, ",\"reset_count\":%u,\"selection\":{", a->reset_count);
	for (size_t i = 0; i < a->selection_count; i++) {
		const struct tpm_selection *s = &a->selections[i];
		bool first = true;

		writer_printf(w, "%s\"%s\":[", i ? "," : "",
			      tpm_alg_digest(s->alg, &hash) ? tpm_bank_name(hash) : "unknown");
		for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (s->pcrs & UINT32_C(1) << pcr) {
				writer_printf(w, "%s%u", first ? "" : ",", pcr);
				first = false;
			}
		writer_text(w, "]");
	}
	writer_text(w, "}");
	json_put_hex(w, "pcr_digest", a->pcr_digest.bytes, a->pcr_digest.len);
	writer_printf(w, ",\"signature_algorithm\":\"0x%x\",\"signature_hash\":\"%s\"",
		      q->signature.scheme,
		      tpm_alg_digest(q->signature.hash, &hash) ? tpm_bank_name(hash) : "unknown");
}

/* The AK beside the quote is the one that Azure's runtime data name. */
static int judge_binding(const struct check_input *in, const struct quote_files *q,
			 const struct tpm_quote *quote, struct verdict *v, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *named = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *of_public = NULL;
	CLEANUP(free) uint8_t *report = NULL;
	struct err why;
	size_t len;

	if (!cli_value(in->cli, "hcl_report"))
		return cli_value(in->cli, "runtime_data")
			       ? err_set(e, ERR_INVALID, "--runtime_data goes with --hcl_report")
			       : 0;
	if (check_option_file(in, "hcl_report", &report, &len, e) < 0 ||
	    read_hcl(in, (struct span){ report, len }, &named, v, e) < 0)
		return err_code(e);
	if (!named)
		return 0;
	if (quote->has_public && tpm_public_key(&quote->ak, &of_public, &why) < 0)
		verdict_err(v, CHECK_AK_RUNTIME_MATCH, &why);
	else
		verdict_check(v, CHECK_AK_RUNTIME_MATCH,
			      ak_cert_same_key(of_public ? of_public : q->key, named),
			      "the AK that is presented", "the key that the runtime data name");
	return 0;
}

static int judge_quote(const struct check_input *in, struct quote_files *q, struct verdict *v,
		       struct writer *show, struct err *e)
{
	CLEANUP(free) struct tpm_quote *quote = calloc(1, sizeof(*quote));

	if (!quote)
		return err_nomem(e);
	if (!tpm_quote_check(&q->input, v, quote))
		return 0;
	if (judge_binding(in, q, quote, v, e) < 0)
		return err_code(e);
	if (check_policy_quote(in, quote, &q->pcrs, v, e) < 0)
		return err_code(e);
	show_quote(quote, show);
	return 0;
}

static bool judge_message_log(const struct tpm_evidence *a, struct verdict *v)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	bool good = true;
	struct err why;

	if (event_log_parse(a->event_log, (struct event_log_form){ .cc = false }, &log, &why) < 0)
		return verdict_err(v, CHECK_LOG_PARSE, &why);
	for (size_t i = 0; i < a->quote_count; i++)
		good = check_log_explains(&log, &a->quotes[i].pcrs, false, v) && good;
	return good;
}

/* With --trusted_root: the message's AK certificate, by its intermediates and those named after the
 * message, is of the key that signs. */
static int judge_message_cert(const struct check_input *in, const struct tpm_evidence *a,
			      const struct tpm_public *ak, struct verdict *v, struct err *e)
{
	CLEANUP(free) uint8_t *root = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *signer = NULL;
	struct span offered[TPM_INTERMEDIATES_MAX + CHECK_OPERANDS_MAX];
	struct ak_cert_input input = { .cert = a->ak_cert, .intermediates = offered, .at = in->at };
	struct err why;

	if (!cli_value(in->cli, "trusted_root"))
		return 0;
	if (check_option_file(in, "trusted_root", &root, &input.root.len, e) < 0)
		return err_code(e);
	input.root.bytes = root;
	for (size_t i = 0; i < a->intermediate_count; i++)
		offered[input.intermediate_count++] = a->intermediates[i];
	for (size_t i = 1; i < in->count; i++)
		offered[input.intermediate_count++] = in->files[i];
	if (ak_cert_verify(&input, &key, &why) < 0 || tpm_public_key(ak, &signer, &why) < 0)
		verdict_err(v, CHECK_AK_CERTIFICATE, &why);
	else
		verdict_check(v, CHECK_AK_CERTIFICATE, ak_cert_same_key(key, signer),
			      "the certificate of another key", "that of the AK");
	return 0;
}

/* Every quote of an attest.Attestation, by the message's own key and registers, and its log. */
static int judge_message(const struct check_input *in, const struct tpm_evidence *a,
			 struct span nonce, struct verdict *v, struct err *e)
{
	CLEANUP(free) struct tpm_quote *quotes = calloc(TPM_QUOTES_MAX, sizeof(*quotes));
	bool good = true;

	if (!quotes)
		return err_nomem(e);
	for (size_t i = 0; i < a->quote_count; i++) {
		const struct tpm_quote_input input = { .quote = a->quotes[i].quote,
						       .signature = a->quotes[i].signature,
						       .ak_public = a->ak_public,
						       .nonce = nonce,
						       .pcrs = &a->quotes[i].pcrs };

		good = tpm_quote_check(&input, v, &quotes[i]) && good;
	}
	if (!good || (a->event_log.len && !judge_message_log(a, v)))
		return 0;
	if (judge_message_cert(in, a, &quotes[0].ak, v, e) < 0)
		return err_code(e);
	return check_policy_alone(in, quotes, a->quote_count, v, e);
}

static int run_message(const struct check_input *in, struct verdict *v, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));
	uint8_t nonce[NONCE_MAX];
	size_t nonce_len;
	struct err why;

	if (!a)
		return err_nomem(e);
	if (cli_value(in->cli, "hcl_report") || cli_value(in->cli, "runtime_data") ||
	    cli_value(in->cli, "pcrs"))
		return err_set(e, ERR_INVALID,
			       "--hcl_report, --runtime_data and --pcrs go with --sig and --ak");
	if (in->count > 1 && !cli_value(in->cli, "trusted_root"))
		return err_set(e, ERR_INVALID,
			       "certificates without --trusted_root: whose word is it?");
	if (!cli_value(in->cli, "nonce"))
		return err_set(e, ERR_INVALID, "--nonce is missing: a quote is judged by it");
	if (check_option_hex(in, "nonce", nonce, sizeof(nonce), &nonce_len, e) < 0)
		return err_code(e);
	verdict_require(v, CHECK_PARSE_ATTESTATION);
	verdict_require(v, CHECK_QUOTE_SIGNATURE);
	if (tpm_attestation_parse(in->files[0], a, &why) < 0) {
		verdict_err(v, CHECK_PARSE_ATTESTATION, &why);
		return 0;
	}
	verdict_check(v, CHECK_PARSE_ATTESTATION, true, NULL, NULL);
	return judge_message(in, a, (struct span){ nonce, nonce_len }, v, e);
}

static int run_quote(const struct check_input *in, struct verdict *v, struct writer *show,
		     struct err *e)
{
	CLEANUP(free) struct quote_files *q = calloc(1, sizeof(*q));

	if (!cli_value(in->cli, "sig") && !cli_value(in->cli, "ak")) {
		if (cli_value(in->cli, "policy"))
			return err_set(e, ERR_INVALID,
				       "--policy goes with --sig, --ak and --pcrs; "
				       "'attestation validate' judges the whole");
		return run_message(in, v, e);
	}
	if (!q)
		return err_nomem(e);
	if (in->count > 1 || cli_value(in->cli, "trusted_root"))
		return err_set(e, ERR_INVALID,
			       "a root and certificates go with attest.Attestation; "
			       "'check ak-cert' judges them by themselves");
	int failed = read_quote(in, q, v, e);
	if (!failed)
		failed = judge_quote(in, q, v, show, e);
	quote_files_done(q);
	return failed;
}

const struct check_kind check_quote = {
	.name = "quote",
	.help = "a TPMS_ATTEST, with --sig, --ak, --pcrs, --nonce; or attest.Attestation, with --nonce",
	.takes = (const char *const[]){ "sig", "pcrs", "ak", "nonce", "trusted_root", "hcl_report",
					"runtime_data", "reset_count", "policy", NULL },
	.files_min = 1,
	.files_max = 5,
	.run = run_quote,
};

/* ---- hcl ---- */

static int run_hcl(const struct check_input *in, struct verdict *v, struct writer *show,
		   struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	struct err why;

	if (read_hcl(in, in->files[0], &key, v, e) < 0)
		return err_code(e);
	if (key && key_to_public_pem(key, &pem, &why) == 0) {
		json_put_key(show, "ak");
		json_quote_shown(show, pem, strlen(pem));
	}
	return 0;
}

const struct check_kind check_hcl = {
	.name = "hcl",
	.help = "Azure's HCL report: do its runtime data name the AK?",
	.takes = (const char *const[]){ "runtime_data", NULL },
	.files_min = 1,
	.files_max = 1,
	.run = run_hcl,
};

/* ---- ak-cert ---- */

static int run_ak_cert(const struct check_input *in, struct verdict *v, struct writer *show,
		       struct err *e)
{
	CLEANUP(free) uint8_t *root = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(x509_free) struct x509 *cert = NULL;
	size_t root_len;
	struct err why;

	if (check_option_file(in, "trusted_root", &root, &root_len, e) < 0)
		return err_code(e);
	if (!root_len)
		return err_set(e, ERR_INVALID, "--trusted_root is missing: whose word is it?");
	const struct ak_cert_input input = { .cert = in->files[0],
					     .intermediates = in->files + 1,
					     .intermediate_count = in->count - 1,
					     .root = { root, root_len },
					     .at = in->at };
	verdict_require(v, CHECK_AK_CERTIFICATE);
	if (ak_cert_verify(&input, &key, &why) < 0) {
		verdict_err(v, CHECK_AK_CERTIFICATE, &why);
		return 0;
	}
	verdict_check(v, CHECK_AK_CERTIFICATE, true, NULL, NULL);
	if (x509_load(in->files[0].bytes, in->files[0].len, &cert, &why) == 0)
		json_put_hex(show, "serial", cert->serial.bytes, cert->serial.len);
	return 0;
}

const struct check_kind check_ak_cert = {
	.name = "ak-cert",
	.help = "an AK's certificate and intermediates, to --trusted_root",
	.takes = (const char *const[]){ "trusted_root", NULL },
	.files_min = 1,
	.files_max = 5,
	.run = run_ak_cert,
};
