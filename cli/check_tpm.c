/* SPDX-License-Identifier: Apache-2.0 */
/* check_tpm.c — TPM quotes, event logs, AK certificates, Azure's report, each by itself. */
#include <inttypes.h>
#include <string.h>

#include "attestation/ak_cert.h"
#include "attestation/event_log.h"
#include "attestation/hcl_report.h"
#include "attestation/tpm_appraise.h"
#include "attestation/tpm_policy.h"
#include "cli/check.h"
#include "cli/check_aael.h"
#include "cli/check_policy.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"

DEFINE_CLEANUP(struct json *, json_free)

enum { NONCE_MAX = 128 };

static void show_hex(struct writer *w, struct span s)
{
	writer_text(w, "\"");
	for (size_t i = 0; i < s.len; i++)
		writer_printf(w, "%02x", s.bytes[i]);
	writer_text(w, "\"");
}

/* ---- pcrs.json ---- */

static int read_index(const char *text, uint32_t *index, struct err *e)
{
	struct json number = { .type = JSON_NUMBER, .text = (char *)(uintptr_t)text };
	uint64_t v;

	if (json_u64(&number, &v, e) < 0)
		return -(int)e->code;
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
			return err_set(e, ERR_INVALID, "register %s is no text", bank->items[i].key);
		if (read_index(bank->items[i].key, &index, e) < 0 ||
		    hex_decode_up_to(bank->items[i].text, value, sizeof(value), &len, e) < 0 ||
		    tpm_pcrs_add(pcrs, kind, index, (struct span){ value, len }, e) < 0)
			return -(int)e->code;
	}
	return 0;
}

static int read_pcrs(const struct check_input *in, struct tpm_pcrs *pcrs, bool *given, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	CLEANUP(json_free) struct json *root = NULL;
	size_t len;

	memset(pcrs, 0, sizeof(*pcrs));
	if (check_option_file(in, "pcrs", &text, &len, e) < 0)
		return -(int)e->code;
	*given = len > 0;
	if (!len)
		return 0;
	if (json_parse(text, len, &root, e) < 0)
		return err_wrap(e, "--pcrs");
	if (root->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "--pcrs: %s where an object of banks is wanted",
			       json_type_name(root->type));
	for (size_t i = 0; i < root->count; i++)
		if (read_bank(&root->items[i], pcrs, e) < 0)
			return err_wrap(e, "--pcrs");
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

/* Registers that the log has no event for are not its to explain. */
static bool log_explains(const struct event_log *log, const struct tpm_pcrs *pcrs,
			 struct verdict *v)
{
	CLEANUP(free) struct event_replay *replay = malloc(sizeof(*replay));
	struct err why;
	size_t compared = 0;

	verdict_require(v, "log.replay");
	for (size_t b = 0; replay && b < pcrs->count; b++) {
		const struct tpm_pcr_bank *bank = &pcrs->banks[b];

		if (event_log_replay(log, bank->kind, replay, &why) < 0)
			return verdict_err(v, "log.replay", "TCG PFP 10", &why);
		for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (bank->present & UINT32_C(1) << pcr && log_speaks_of(log, pcr)) {
				compared++;
				if (!verdict_bytes(v, "log.replay", "TCG PFP 10",
						   replay->values[pcr], bank->values[pcr],
						   replay->len))
					return false;
			}
	}
	return verdict_check(v, "log.replay", "TCG PFP 10", replay && compared > 0,
			     compared ? "as quoted" : "nothing to compare with",
			     "values that a quote vouches for (--pcrs)");
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
static int read_ak(const struct check_input *in, struct quote_files *q, struct err *e)
{
	size_t len;

	if (check_option_file(in, "ak", &q->ak, &len, e) < 0)
		return -(int)e->code;
	if (len > 10 && memcmp(q->ak, "-----BEGIN", 10) == 0) {
		if (key_from_public_pem((const char *)q->ak, len, &q->key, e) < 0)
			return err_wrap(e, "--ak");
		q->input.ak_key = q->key;
		return 0;
	}
	q->input.ak_public = (struct span){ q->ak, len };
	return 0;
}

static int read_quote(const struct check_input *in, struct quote_files *q, struct err *e)
{
	size_t sig_len, nonce_len;
	bool given;

	if (check_option_file(in, "sig", &q->signature, &sig_len, e) < 0 || read_ak(in, q, e) < 0 ||
	    check_option_hex(in, "nonce", q->nonce, sizeof(q->nonce), &nonce_len, e) < 0 ||
	    read_pcrs(in, &q->pcrs, &given, e) < 0)
		return -(int)e->code;
	if (!cli_value(in->cli, "sig") || !q->ak || !given || !cli_value(in->cli, "nonce"))
		return err_set(e, ERR_INVALID, "a quote is judged with --sig, --ak, --pcrs, --nonce");
	q->input.quote = in->files[0];
	q->input.signature = (struct span){ q->signature, sig_len };
	q->input.nonce = (struct span){ q->nonce, nonce_len };
	q->input.pcrs = &q->pcrs;
	return 0;
}

static void show_quote(const struct tpm_quote *q, struct writer *w)
{
	enum digest_kind hash;

	writer_text(w, ",\"qualified_signer\":");
	show_hex(w, q->attest.qualified_signer);
	writer_text(w, ",\"extra_data\":");
	show_hex(w, q->attest.extra_data);
	writer_printf(w, ",\"reset_count\":%u,\"selection\":{", q->attest.reset_count);
	for (size_t i = 0; i < q->attest.selection_count; i++) {
		const struct tpm_selection *s = &q->attest.selections[i];
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
	writer_text(w, "},\"pcr_digest\":");
	show_hex(w, q->attest.pcr_digest);
	writer_printf(w, ",\"signature_algorithm\":\"0x%x\",\"signature_hash\":\"%s\"",
		      q->signature.scheme,
		      tpm_alg_digest(q->signature.hash, &hash) ? tpm_bank_name(hash) : "unknown");
}

static int judge_quote(const struct check_input *in, struct quote_files *q, struct verdict *v,
		       struct writer *show, struct err *e)
{
	CLEANUP(free) struct tpm_quote *quote = calloc(1, sizeof(*quote));

	if (!quote)
		return err_nomem(e);
	if (!tpm_quote_check(&q->input, v, quote))
		return 0;
	if (check_policy_quote(in, quote, &q->pcrs, v, e) < 0)
		return -(int)e->code;
	show_quote(quote, show);
	return 0;
}

/* Every quote of an attest.Attestation, by the message's own key and registers, and its log. */
static void judge_message(const struct tpm_attestation *a, struct span nonce, struct verdict *v)
{
	CLEANUP(free) struct tpm_quote *quote = calloc(1, sizeof(*quote));
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct err why;

	for (size_t i = 0; quote && i < a->quote_count; i++) {
		const struct tpm_quote_input input = { .quote = a->quotes[i].quote,
						       .signature = a->quotes[i].signature,
						       .ak_public = a->ak_public,
						       .nonce = nonce,
						       .pcrs = &a->quotes[i].pcrs };

		tpm_quote_check(&input, v, quote);
	}
	if (!a->event_log.len)
		return;
	if (event_log_parse(a->event_log, (struct event_log_form){ .cc = false }, &log, &why) < 0) {
		verdict_err(v, "log.parse", "TCG PFP 10", &why);
		return;
	}
	for (size_t i = 0; i < a->quote_count; i++)
		log_explains(&log, &a->quotes[i].pcrs, v);
}

static int run_message(const struct check_input *in, struct verdict *v, struct err *e)
{
	CLEANUP(free) struct tpm_attestation *a = malloc(sizeof(*a));
	uint8_t nonce[NONCE_MAX];
	size_t nonce_len;
	struct err why;

	if (!a)
		return err_nomem(e);
	if (!cli_value(in->cli, "nonce"))
		return err_set(e, ERR_INVALID, "--nonce is missing: a quote is judged by it");
	if (check_option_hex(in, "nonce", nonce, sizeof(nonce), &nonce_len, e) < 0)
		return -(int)e->code;
	verdict_require(v, "parse.attestation");
	verdict_require(v, "quote.signature");
	if (tpm_attestation_parse(in->files[0], a, &why) < 0) {
		verdict_err(v, "parse.attestation", "attest.proto", &why);
		return 0;
	}
	verdict_check(v, "parse.attestation", "attest.proto", true, NULL, NULL);
	judge_message(a, (struct span){ nonce, nonce_len }, v);
	return 0;
}

static int run_quote(const struct check_input *in, struct verdict *v, struct writer *show,
		     struct err *e)
{
	CLEANUP(free) struct quote_files *q = calloc(1, sizeof(*q));

	if (!cli_value(in->cli, "sig") && !cli_value(in->cli, "ak")) {
		if (cli_value(in->cli, "policy"))
			return err_set(e, ERR_INVALID, "--policy goes with --sig, --ak and --pcrs; "
						       "'attestation validate' judges the whole");
		return run_message(in, v, e);
	}
	if (!q)
		return err_nomem(e);
	int failed = read_quote(in, q, e);
	if (!failed)
		failed = judge_quote(in, q, v, show, e);
	quote_files_done(q);
	return failed;
}

const struct check_kind check_quote = {
	.name = "quote",
	.help = "a TPMS_ATTEST, with --sig, --ak, --pcrs, --nonce",
	.files_min = 1,
	.files_max = 1,
	.run = run_quote,
};

/* ---- log ---- */

static void show_log(const struct event_log *log, struct writer *w)
{
	CLEANUP(free) struct event_replay *replay = malloc(sizeof(*replay));
	struct err ignored;

	writer_printf(w, ",\"format\":\"%s\",\"algorithms\":[",
		      log->legacy ? "sha1" : "crypto-agile");
	for (size_t b = 0; b < log->bank_count; b++)
		writer_printf(w, "%s\"%s\"", b ? "," : "",
			      log->banks[b].known ? tpm_bank_name(log->banks[b].kind) : "unknown");
	writer_printf(w, "],\"events\":%zu,\"startup_locality\":", log->count);
	writer_printf(w, log->startup_locality < 0 ? "null" : "%d", log->startup_locality);
	writer_text(w, ",\"replay\":{");
	for (size_t b = 0; replay && b < log->bank_count; b++) {
		bool first = true;

		if (!log->banks[b].known ||
		    event_log_replay(log, log->banks[b].kind, replay, &ignored) < 0)
			continue;
		writer_printf(w, "%s\"%s\":{", b ? "," : "", tpm_bank_name(log->banks[b].kind));
		for (unsigned pcr = 0; pcr < EVENT_PCRS; pcr++) {
			if (!log_speaks_of(log, pcr))
				continue;
			writer_printf(w, "%s\"%u\":", first ? "" : ",", pcr);
			show_hex(w, (struct span){ replay->values[pcr], replay->len });
			first = false;
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
	bool given;

	if (!pcrs)
		return err_nomem(e);
	if (read_pcrs(in, pcrs, &given, &why) < 0) {
		/* Values that no quote can vouch for, such as of a register that doesn't exist. */
		verdict_err(v, "log.registers", "TCG PFP 10", &why);
		return 0;
	}
	if (cli_flag(in->cli, "aael"))
		return check_aael(in, pcrs, v, show, e);
	verdict_require(v, "log.format");
	if (event_log_parse(in->files[0], form, &log, &why) < 0) {
		verdict_err(v, "log.format", "TCG PFP 10", &why);
		return 0;
	}
	verdict_check(v, "log.format", "TCG PFP 10", true, NULL, NULL);
	if (given)
		log_explains(&log, pcrs, v);
	show_log(&log, show);
	return 0;
}

const struct check_kind check_log = {
	.name = "log",
	.help = "an event log, with --pcrs to compare its replay",
	.files_min = 1,
	.files_max = 1,
	.run = run_log,
};

/* ---- hcl ---- */

/* The report's REPORT_DATA are the digest of the runtime data, which name one signing key. */
static void judge_hcl(const struct hcl_report *hcl, struct span runtime, struct verdict *v,
		      struct writer *show)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	uint8_t wanted[SNP_REPORT_DATA_LEN];
	struct snp_report report;
	struct err why;

	verdict_require(v, "ak.runtime");
	verdict_require(v, "ak.key");
	if (snp_report_parse(hcl->report.bytes, hcl->report.len, &report, &why) < 0 ||
	    hcl_report_data(runtime, wanted, &why) < 0) {
		verdict_err(v, "parse.report", "56860 table 23", &why);
		return;
	}
	verdict_bytes(v, "ak.runtime", "Azure HCL report", report.report_data, wanted,
		      sizeof(wanted));
	if (hcl_report_ak(runtime, &key, &why) < 0 || key_to_public_pem(key, &pem, &why) < 0) {
		verdict_err(v, "ak.key", "Azure HCL report", &why);
		return;
	}
	verdict_check(v, "ak.key", "Azure HCL report", true, NULL, NULL);
	verdict_note(v, "the key's attributes are the paravisor's word");
	writer_text(show, ",\"ak\":");
	json_quote(show, pem, strlen(pem));
}

static int run_hcl(const struct check_input *in, struct verdict *v, struct writer *show,
		   struct err *e)
{
	CLEANUP(free) uint8_t *runtime = NULL;
	struct hcl_report hcl;
	size_t len;
	struct err why;

	if (check_option_file(in, "runtime_data", &runtime, &len, e) < 0)
		return -(int)e->code;
	verdict_require(v, "parse.hcl_report");
	if (hcl_report_parse(in->files[0], &hcl, &why) < 0) {
		verdict_err(v, "parse.hcl_report", "Azure HCL report", &why);
		return 0;
	}
	verdict_check(v, "parse.hcl_report", "Azure HCL report", true, NULL, NULL);
	judge_hcl(&hcl, len ? (struct span){ runtime, len } : hcl.runtime, v, show);
	return 0;
}

const struct check_kind check_hcl = {
	.name = "hcl",
	.help = "Azure's HCL report: do its runtime data name the AK?",
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
		return -(int)e->code;
	if (!root_len)
		return err_set(e, ERR_INVALID, "--trusted_root is missing: whose word is it?");
	const struct ak_cert_input input = { .cert = in->files[0],
					     .intermediates = in->files + 1,
					     .intermediate_count = in->count - 1,
					     .root = { root, root_len },
					     .at = in->at };
	verdict_require(v, "ak.certificate");
	if (ak_cert_verify(&input, &key, &why) < 0) {
		verdict_err(v, "ak.certificate", "RFC 5280", &why);
		return 0;
	}
	verdict_check(v, "ak.certificate", "RFC 5280", true, NULL, NULL);
	if (x509_load(in->files[0].bytes, in->files[0].len, &cert, &why) == 0) {
		writer_text(show, ",\"serial\":");
		show_hex(show, cert->serial);
	}
	return 0;
}

const struct check_kind check_ak_cert = {
	.name = "ak-cert",
	.help = "an AK's certificate and intermediates, to --trusted_root",
	.files_min = 1,
	.files_max = 5,
	.run = run_ak_cert,
};
