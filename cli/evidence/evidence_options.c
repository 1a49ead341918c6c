/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/evidence_options.h"

#include "attestation/envelope/evidence_json.h"
#include "cli/base/batch.h"
#include "cli/base/moment.h"
#include "cli/base/number.h"
#include "cli/base/product.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/manifest.h"

#include <string.h>

enum { SKEW_DEFAULT = 300, SKEW_MAX = 86400, POLICY_ARGS_MAX = POLICY_FILES_MAX };

/* clang-format off */
const struct cli_option evidence_option_table[] = {
	{ .name = "mode", .value = "MODE", .words = evidence_kind_modes,
	  .help = "what the evidence has to be: " EVIDENCE_MODES },
	{ .name = "report_data", .value = "HEX", .help = "the REPORT_DATA that a report has to have" },
	{ .name = "tee", .value = "HEX", .help = "nonce of 'attestation get' for the TEE" },
	{ .name = "vtpm", .value = "HEX", .help = "nonce of 'attestation get' for the TPM" },
	{ .name = "nonce", .value = "HEX", .help = "extraData of the quote, at least 16 bytes" },
	{ .name = "policy", .value = "FILE", .times = CLI_MANY, .help = "what to expect (JSON)" },
	{ .name = "corim", .value = "FILE",
	  .help = "reference values (CoRIM), unsigned without a key" },
	{ .name = "corim_key", .value = "PEM", .help = "whose signature the CoRIM has to have" },
	{ .name = "event_log", .value = "FILE", .help = "the platform's event log" },
	EVIDENCE_TRUST_OPTIONS,
	{ .name = "ak_cert", .value = "FILE", .help = "a certificate for the attestation key" },
	{ .name = "hcl_report", .value = "FILE", .help = "Azure's report around the TEE's" },
	{ .name = "td_quote", .value = "FILE", .help = "Azure's quote of a TDX machine" },
	{ .name = "runtime_data", .value = "FILE", .help = "Azure's runtime data" },
	{ .name = "id_block", .value = "FILE", .help = "the ID block of the launch" },
	{ .name = "id_auth", .value = "FILE", .help = "the ID block's authentication" },
	{ .name = "key", .value = "PEM", .help = "who may have signed the token" },
	{ .name = "genuine-only", .help = "only ask whether it is real hardware's, not what runs" },
	{ .name = "before-run",
	  .help = "ask for no run statement: a token from before its agent had a manifest" },
	MOMENT_AT_OPTION,
	BATCH_OPTION,
	CLI_JSON_OPTION,
	{ .name = NULL },
};
/* clang-format on */

/* ---- values ---- */

static int read_hex(const struct cli *cli, const char *name, uint8_t *out, size_t max, size_t *len,
		    struct err *e)
{
	const char *text = cli_value(cli, name);

	*len = 0;
	if (!text)
		return 0;
	if (!*text)
		return err_set(e, ERR_INVALID, "--%s is empty", name);
	if (hex_decode_up_to(text, out, max, len, e) < 0)
		return err_wrap(e, "--%s", name);
	return 0;
}

static int keep(struct evidence_options *o, const char *path, struct span *out, struct err *e)
{
	uint8_t *bytes;
	size_t len;

	if (o->file_count == EVIDENCE_FILES_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d files", EVIDENCE_FILES_MAX);
	if (file_read(path, EVIDENCE_FILE_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	o->files[o->file_count++] = bytes;
	*out = (struct span){ bytes, len }; /* an empty one is refused where it is judged */
	return 0;
}

static int read_file(struct evidence_options *o, const struct cli *cli, const char *name,
		     struct span *out, struct err *e)
{
	const char *path = cli_value(cli, name);

	if (!path)
		return 0;
	if (keep(o, path, out, e) < 0)
		return err_wrap(e, "--%s", name);
	/* Empty must not mean 'not given'; a missing VCEK or VLEK is refused where it is judged. */
	if (!out->len && strcmp(name, "vcek") != 0 && strcmp(name, "vlek") != 0)
		return err_set(e, ERR_INVALID, "--%s: '%s' is empty", name, path);
	return 0;
}

/* ---- groups of options ---- */

static int read_binding(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	struct verify_binding *b = &o->input.binding;
	size_t data_len, tee_len, vtpm_len, nonce_len;

	if (read_hex(cli, "report_data", o->report_data, sizeof(o->report_data), &data_len, e) <
		    0 ||
	    read_hex(cli, "tee", o->tee, sizeof(o->tee), &tee_len, e) < 0 ||
	    read_hex(cli, "vtpm", o->vtpm, sizeof(o->vtpm), &vtpm_len, e) < 0 ||
	    read_hex(cli, "nonce", o->tpm_nonce, sizeof(o->tpm_nonce), &nonce_len, e) < 0)
		return err_code(e);
	if (data_len && data_len != sizeof(o->report_data))
		return err_set(e, ERR_INVALID, "--report_data: %zu bytes; a report has %zu",
			       data_len, sizeof(o->report_data));
	if (nonce_len && nonce_len < TPM_NONCE_MIN)
		return err_set(e, ERR_INVALID, "--nonce: %zu bytes; at least %d", nonce_len,
			       TPM_NONCE_MIN);
	b->report_data = data_len ? o->report_data : NULL;
	b->tpm_nonce = (struct span){ nonce_len ? o->tpm_nonce : NULL, nonce_len };
	if (tee_len || vtpm_len) {
		o->nonce = (struct binding_nonce){
			.tee = o->tee, .tee_len = tee_len, .vtpm = o->vtpm, .vtpm_len = vtpm_len
		};
		b->nonce = &o->nonce;
	}
	return 0;
}

int evidence_policies(const struct cli *cli, const char *option, const char *fallback,
		      struct evidence_options *o, struct err *e)
{
	struct policy_file files[POLICY_ARGS_MAX];
	const char *path;
	size_t n = 0;

	for (; (path = cli_value_at(cli, option, n)) || (n == 0 && (path = fallback)); n++) {
		struct span bytes;

		if (n == POLICY_ARGS_MAX)
			return err_set(e, ERR_INVALID, "more than %d policies", POLICY_ARGS_MAX);
		if (keep(o, path, &bytes, e) < 0)
			return err_wrap(e, "--%s", option);
		files[n] = (struct policy_file){ path, bytes.bytes, bytes.len };
	}
	if (!n)
		return 0;
	if (policy_parse(files, n, &o->policy, e) < 0)
		return err_code(e);
	o->input.policy = &o->policy;
	return 0;
}

static int read_manifests(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	const char *path;

	for (size_t n = 0; (path = cli_value_at(cli, "manifest", n)); n++) {
		CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
		struct manifest_digests digests;
		struct span text;

		if (n == VERIFY_MANIFESTS_MAX)
			return err_set(e, ERR_INVALID, "more than %d manifests",
				       VERIFY_MANIFESTS_MAX);
		if (keep(o, path, &text, e) < 0 ||
		    manifest_from_json(text.bytes, text.len, &manifest, e) < 0 ||
		    manifest_digest(manifest, &digests, e) < 0)
			return err_wrap(e, "--manifest");
		memcpy(o->manifests[n], digests.sha3_256, SHA3_256_LEN);
		o->input.manifest_count = n + 1;
	}
	o->input.manifests = (const uint8_t(*)[SHA3_256_LEN])o->manifests;
	return 0;
}

/* Two certificates are intermediate and root, in that order, as the vendor's bundles have them. Of
 * more (several products), the leaf's issuer and that one's. The verifier decides whether they are
 * right. */
static void choose_chain(struct evidence_options *o, struct span *ders, size_t count)
{
	struct snp_input *snp = &o->input.snp;
	CLEANUP(x509_free) struct x509 *leaf = NULL;
	struct err ignored;

	if (count > 2 && snp->vek.len &&
	    x509_load(snp->vek.bytes, snp->vek.len, &leaf, &ignored) < 0)
		leaf = NULL;
	for (size_t i = 0; leaf && i + 1 < count; i++) {
		CLEANUP(x509_free) struct x509 *cert = NULL;

		if (x509_load(ders[i].bytes, ders[i].len, &cert, &ignored) == 0 &&
		    span_equal(cert->subject, leaf->issuer)) {
			ders += i;
			count = 2;
		}
	}
	if (count == 1) {
		CLEANUP(x509_free) struct x509 *cert = NULL;

		if (x509_load(ders[0].bytes, ders[0].len, &cert, &ignored) == 0 &&
		    span_equal(cert->issuer, cert->subject))
			snp->ark = ders[0];
		else
			snp->intermediate = ders[0];
	} else if (count) {
		snp->intermediate = ders[0];
		snp->ark = ders[1];
	}
}

/* The certificates of one file. A file that is not a bundle of them is passed on as it is. */
static int read_bundle(const char *path, struct evidence_options *o, size_t *count, struct err *e)
{
	struct x509_chain *bundle = &o->bundles[o->bundle_count];
	struct span pem;
	struct err ignored;

	if (o->bundle_count == ARRAY_LEN(o->bundles) ||
	    ARRAY_LEN(o->intermediates) - *count < X509_CHAIN_MAX)
		return err_set(e, ERR_INVALID, "more than %zu bundles, or too many certificates",
			       ARRAY_LEN(o->bundles));
	if (keep(o, path, &pem, e) < 0)
		return err_code(e);
	if (x509_chain_from_pem(pem.bytes, pem.len, bundle, &ignored) < 0) {
		o->intermediates[(*count)++] = pem;
		return 0;
	}
	o->bundle_count++;
	for (size_t i = 0; i < bundle->count; i++)
		o->intermediates[(*count)++] =
			(struct span){ bundle->certs[i]->der, bundle->certs[i]->len };
	return 0;
}

/* What is not a certificate goes to the verifier, wherever it was, and is refused there. */
static void choose_malformed(struct evidence_options *o, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(x509_free) struct x509 *cert = NULL;
		struct err ignored;

		if (x509_load(o->intermediates[i].bytes, o->intermediates[i].len, &cert, &ignored) <
		    0) {
			o->input.snp.intermediate = o->intermediates[i];
			return;
		}
	}
}

static int read_bundles(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	const char *paths = cli_value(cli, "CA_bundles_paths");
	CLEANUP(free) char *copy = paths ? strdup(paths) : NULL;
	size_t count = 0;

	for (char *rest = copy, *path; (path = strsep(&rest, ","));)
		if (read_bundle(path, o, &count, e) < 0)
			return err_wrap(e, "--CA_bundles_paths");
	choose_chain(o, o->intermediates, count);
	if (count > 2)
		choose_malformed(o, count);
	o->input.tpm.binding.intermediates = o->intermediates;
	o->input.tpm.binding.intermediate_count = count;
	return 0;
}

int evidence_product(const char *name, struct evidence_options *o, struct err *e)
{
	return name ? product_parse(name, &o->input.product, e) : 0;
}

static int read_crls(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	struct snp_input *snp = &o->input.snp;
	const char *path;

	snp->require_crl = cli_flag(cli, "check_crl");
	for (size_t n = 0; (path = cli_value_at(cli, "crl", n)); n++) {
		if (n == SNP_CRLS_MAX)
			return err_set(e, ERR_INVALID, "more than %d CRLs", SNP_CRLS_MAX);
		if (keep(o, path, &snp->crls[n], e) < 0)
			return err_wrap(e, "--crl");
		snp->crl_count = n + 1;
	}
	return 0;
}

int evidence_trust_read(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	struct verify_input *in = &o->input;
	const char *path;
	uint64_t skew = SKEW_DEFAULT;

	if (cli_value(cli, "vcek") && cli_value(cli, "vlek"))
		return err_set(e, ERR_INVALID, "--vcek and --vlek: a report has one of them");
	in->snp.need_vcek = cli_value(cli, "vcek") != NULL;
	in->snp.need_vlek = cli_value(cli, "vlek") != NULL;
	if (evidence_product(cli_value(cli, "product"), o, e) < 0 ||
	    read_file(o, cli, "vcek", &in->snp.vek, e) < 0 ||
	    read_file(o, cli, "vlek", &in->snp.vek, e) < 0 ||
	    read_file(o, cli, "trusted_root", &in->snp.trusted_root, e) < 0 ||
	    read_file(o, cli, "ak", &in->tpm.binding.named, e) < 0 || read_bundles(cli, o, e) < 0 ||
	    read_crls(cli, o, e) < 0 || read_manifests(cli, o, e) < 0 ||
	    number_option(cli, "skew", SKEW_MAX, &skew, e) < 0)
		return err_code(e);
	in->skew = (uint32_t)skew;
	in->tdx.endorsements.trusted_root = in->snp.trusted_root;
	in->tpm.binding.root = in->snp.trusted_root;
	path = cli_value(cli, "collateral");
	if (path && tdx_collateral_load(path, &o->collateral, e) < 0)
		return err_wrap(e, "--collateral");
	in->tdx.endorsements.collateral = o->collateral;
	return 0;
}

/* What may come with a file of evidence, but not with a channel's. */
static int read_companions(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	struct verify_input *in = &o->input;
	struct span log = { NULL, 0 };

	if (read_file(o, cli, "id_block", &in->snp.id_block, e) < 0 ||
	    read_file(o, cli, "id_auth", &in->snp.id_auth, e) < 0 ||
	    read_file(o, cli, "ak_cert", &in->tpm.binding.cert, e) < 0 ||
	    read_file(o, cli, "event_log", &log, e) < 0 ||
	    read_file(o, cli, "hcl_report", &in->hcl_report, e) < 0 ||
	    read_file(o, cli, "td_quote", &in->td_quote, e) < 0 ||
	    read_file(o, cli, "runtime_data", &in->tpm.binding.runtime, e) < 0)
		return err_code(e);
	if (in->hcl_report.len && in->mode != EVIDENCE_SNP_VTPM && in->mode != EVIDENCE_TDX_VTPM)
		return err_set(e, ERR_INVALID,
			       "--hcl_report goes with --mode snp-vtpm or tdx-vtpm");
	if (in->td_quote.len && in->mode != EVIDENCE_TDX_VTPM)
		return err_set(e, ERR_INVALID, "--td_quote goes with --mode tdx-vtpm");
	if (in->mode == EVIDENCE_TDX_VTPM && (!in->hcl_report.len || !in->td_quote.len))
		return err_set(e, ERR_INVALID, "--mode tdx-vtpm needs --hcl_report and --td_quote");
	if (cli_value(cli, "collateral") && in->mode != EVIDENCE_EAT &&
	    evidence_kind_rows[in->mode].tee != TEE_TDX)
		return err_set(e, ERR_INVALID,
			       "--collateral goes with --mode tdx, tdx-vtpm or eat");
	if (in->snp.vek.len && in->mode != EVIDENCE_EAT &&
	    evidence_kind_rows[in->mode].tee != TEE_SNP)
		return err_set(e, ERR_INVALID, "--vcek and --vlek go with a report of SEV-SNP");
	in->tpm.event_log = log;
	in->tdx.event_log = log;
	return 0;
}

int evidence_check_genuine(const struct cli *cli, struct err *e)
{
	static const char *const about_runs[] = { "policy", "manifest" };

	for (size_t i = 0; cli_flag(cli, "genuine-only") && i < ARRAY_LEN(about_runs); i++)
		if (cli_value(cli, about_runs[i]))
			return err_set(e, ERR_INVALID,
				       "--genuine-only and --%s: one of them; the first says "
				       "nothing about what ran",
				       about_runs[i]);
	return 0;
}

/* No clock told a moment that is named. */
int evidence_moment(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	if (moment_at(cli, &o->input.at, e) < 0)
		return err_code(e);
	if (cli_value(cli, "at") && !cli_value(cli, "skew"))
		o->input.skew = 0;
	return 0;
}

static int read_rest(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	struct span pem = { NULL, 0 };

	if (evidence_moment(cli, o, e) < 0)
		return err_code(e);
	if (read_file(o, cli, "key", &pem, e) < 0)
		return err_code(e);
	o->input.genuine_only = cli_flag(cli, "genuine-only");
	o->input.before_run = cli_flag(cli, "before-run");
	if (pem.len && key_from_public_pem((const char *)pem.bytes, pem.len, &o->key, e) < 0)
		return err_wrap(e, "--key '%s'", cli_value(cli, "key"));
	o->input.token_key = o->key;
	return 0;
}

void evidence_options_init(struct evidence_options *o)
{
	memset(o, 0, sizeof(*o));
	policy_init(&o->policy);
}

/* The CoRIM answers what the policies leave open; without a policy, that is which measurement is
 * right. */
static int read_corim(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct span file = { NULL, 0 }, pem = { NULL, 0 };

	if (read_file(o, cli, "corim", &file, e) < 0 || read_file(o, cli, "corim_key", &pem, e) < 0)
		return err_code(e);
	if (!file.len && pem.len)
		return err_set(e, ERR_INVALID, "--corim_key goes with --corim");
	if (!file.len)
		return 0;
	if (pem.len && key_from_public_pem((const char *)pem.bytes, pem.len, &key, e) < 0)
		return err_wrap(e, "--corim_key '%s'", cli_value(cli, "corim_key"));
	if (corim_values_read(file, key, o->input.at, &o->corim, e) < 0)
		return err_wrap(e, "--corim '%s'", cli_value(cli, "corim"));
	if (!o->input.policy)
		memcpy(o->policy.digest, o->corim.digest, SHA256_LEN);
	o->input.policy = &o->policy;
	o->input.corim = &o->corim;
	return corim_values_policy(&o->corim, &o->policy, e);
}

/* The JSON form of the protobuf that the mode takes; the mode says which, its members never do. One
 * that can't be read stays as it is: the verifier refuses it, as it refuses every other malformed
 * evidence. */
static int read_evidence(const char *path, struct evidence_options *o, struct err *e)
{
	enum evidence_kind mode = o->input.mode;
	struct span text;
	uint8_t *bytes;
	size_t len;
	struct err why;

	if (keep(o, path, &o->input.evidence, e) < 0)
		return err_code(e);
	text = o->input.evidence;
	if (!evidence_is_json(text))
		return 0;
	if (!evidence_has_json(mode)) {
		snprintf(o->problem, sizeof(o->problem), "it is JSON, and a %s is read as bytes",
			 mode == EVIDENCE_TDX ? "quote" : "token");
		return 0;
	}
	if (o->file_count == EVIDENCE_FILES_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d files", EVIDENCE_FILES_MAX);
	if (evidence_from_json(text, mode, &bytes, &len, &why) < 0) {
		memcpy(o->problem, why.text, sizeof(o->problem));
		return 0;
	}
	o->files[o->file_count++] = bytes;
	o->input.evidence = (struct span){ bytes, len };
	return 0;
}

int evidence_options_read(const struct cli *cli, const char *path, struct evidence_options *o,
			  struct err *e)
{
	const char *mode = cli_value(cli, "mode");

	evidence_options_init(o);
	if (!mode)
		return err_set(e, ERR_INVALID, "--mode is missing: %s",
			       evidence_kind_names_or("eat").text);
	if (cli_flag(cli, "before-run") && cli_value(cli, "manifest"))
		return err_set(e, ERR_INVALID,
			       "--before-run and --manifest: one of them; before the run there was "
			       "no manifest");
	if (evidence_check_genuine(cli, e) < 0)
		return err_code(e);
	if (evidence_kind_of_mode(mode, &o->input.mode, e) < 0 || read_evidence(path, o, e) < 0 ||
	    read_binding(cli, o, e) < 0 || evidence_policies(cli, "policy", NULL, o, e) < 0 ||
	    evidence_trust_read(cli, o, e) < 0 || read_companions(cli, o, e) < 0)
		return err_code(e);
	if (read_rest(cli, o, e) < 0)
		return err_code(e);
	return read_corim(cli, o, e);
}

void evidence_options_done(struct evidence_options *o)
{
	policy_done(&o->policy);
	corim_values_done(&o->corim);
	for (size_t i = 0; i < o->bundle_count; i++)
		x509_chain_done(&o->bundles[i]);
	EVP_PKEY_free(o->key);
	tdx_collateral_done(&o->collateral);
	for (size_t i = 0; i < o->file_count; i++)
		free(o->files[i]);
	memset(o, 0, sizeof(*o));
}
