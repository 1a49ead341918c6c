/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier's one call, over tokens of each kind that are right in everything: each is accepted,
 * and with one thing changed refused by that thing's name, and says no identity.
 */
#include "attestation/snp_cert_table.h"
#include "tests/unit/attestation/tpm_forge.h"
#include "tests/unit/attestation/verify_build.h"

static struct verdict verdict;
static struct verify_result result;

static void nothing(struct verify_build *b)
{
	(void)b;
}

typedef void change_fn(struct verify_build *b);

static int run(const struct verify_kind *kind, change_fn *statement, change_fn *call, struct err *e)
{
	struct verify_build b;

	verify_build_begin(&b, kind);
	statement(&b);
	verify_build_seal(&b);
	call(&b);
	memset(&result, 0xee, sizeof(result));
	*e = (struct err){ 0 };
	int rc = verify(&b.in, &verdict, &result, e);
	if (rc == 0 && !verdict_ok(&verdict))
		fail_msg("%s: 0 without a yes", kind->name);
	if (rc != 0 && (verdict_ok(&verdict) && rc != -ERR_INVALID))
		fail_msg("%s: a yes without 0", kind->name);
	if (rc == 0 && result.has_identity) {
		uint8_t wanted[SHA256_LEN];
		struct err ignored;

		assert_ok(digest(DIGEST_SHA256, b.spki, b.spki_len, wanted, &ignored), ignored);
		assert_memory_equal(result.identity, wanted, SHA256_LEN);
	}
	if (rc == 0 && result.has_manifest)
		assert_memory_equal(result.manifest, b.run.manifest, SHA3_256_LEN);
	verify_build_end(&b);
	return rc;
}

/* ---- what is changed ---- */

static void short_nonces(struct verify_build *b)
{
	b->nonce.tee_len = b->nonce.vtpm_len = TPM_NONCE_MIN - 1;
}

static void shortest_nonce(struct verify_build *b)
{
	b->nonce.tee_len = TPM_NONCE_MIN;
	b->nonce.vtpm_len = 0;
}

static void no_nonce(struct verify_build *b)
{
	b->nonce.tee_len = b->nonce.vtpm_len = 0;
}

static void other_nonce(struct verify_build *b)
{
	b->tee[0] ^= 1;
}

static void longer_nonce(struct verify_build *b)
{
	b->nonce.tee_len++; /* a zero more */
	b->tee[b->nonce.tee_len - 1] = 1;
}

static void other_kind_too(struct verify_build *b)
{
	if (b->kind->mode == VERIFY_VTPM)
		b->policy.has_snp = true;
	else
		b->policy.has_tpm = true;
}

static void by_mode(struct verify_build *b)
{
	b->in.mode = b->kind->mode;
}

static void other_mode(struct verify_build *b)
{
	b->in.mode = b->kind->mode == VERIFY_SNP ? VERIFY_TDX : VERIFY_SNP;
}

static void unused_input(struct verify_build *b)
{
	if (b->kind->mode == VERIFY_SNP || b->kind->mode == VERIFY_TDX)
		b->in.tpm.binding.named = (struct span){ b->spki, b->spki_len };
	else if (b->kind->mode == VERIFY_VTPM)
		b->in.product = SNP_GENOA;
	else
		b->in.product = SNP_MILAN; /* judged, and another */
}

static void raw_and_stock(struct verify_build *b)
{
	verify_build_raw_binding(b);
	b->policy.run.relayable = true;
}

static void raw_stock_named(struct verify_build *b)
{
	raw_and_stock(b);
	b->in.token_key = b->key;
}

static void named_other(struct verify_build *b)
{
	b->in.token_key = b->other;
}

static void foreign_token_nonce(struct verify_build *b)
{
	static const uint8_t nonce[32] = { 9 };

	b->content.nonce = (struct eat_bytes){ nonce, sizeof(nonce) };
}

static void says_channel(struct verify_build *b)
{
	b->content.nonce_use = EAT_USE_CHANNEL;
}

static void says_run(struct verify_build *b)
{
	b->content.nonce_use = EAT_USE_RUN;
}

static void channel(struct verify_build *b)
{
	b->by_channel = true;
	b->content.nonce_use = EAT_USE_CHANNEL;
}

static void channel_of_another(struct verify_build *b)
{
	b->in.binding.channel_spki = (struct span){ b->other_spki, b->other_spki_len };
}

static void another_channel(struct verify_build *b)
{
	static const uint8_t exporter[BINDING_EXPORTER_LEN] = { 0xe1 };
	struct err e;

	assert_ok(binding_channel(DIGEST_SHA384, b->spki, b->spki_len, exporter, NULL, &b->channel,
				  &e),
		  e);
}

static void relayed(struct verify_build *b)
{
	b->relayed = true;
}

static void too_much_skew(struct verify_build *b)
{
	b->in.skew = SNP_SKEW_MAX + 1;
}

static void two_bindings(struct verify_build *b)
{
	b->in.binding.report_data = b->report_data;
}

static void all_bindings(struct verify_build *b)
{
	b->in.binding.channel = &b->channel;
	b->in.binding.nonce = &b->nonce;
}

static void no_binding(struct verify_build *b)
{
	b->in.binding = (struct verify_binding){ .report_data = NULL };
}

static void other_extra_data(struct verify_build *b)
{
	b->in.binding.tpm_nonce = (struct span){ b->tee, 32 };
}

static void same_extra_data(struct verify_build *b)
{
	b->in.binding.tpm_nonce = (struct span){ b->content.nonce.bytes, b->content.nonce.len };
}

static void hcl_report_too(struct verify_build *b)
{
	b->in.hcl_report = (struct span){ b->tee, sizeof(b->tee) };
}

static void crl_too(struct verify_build *b)
{
	b->in.snp.crls[b->in.snp.crl_count++] = (struct span){ b->tee, sizeof(b->tee) };
}

/* One named root, as the command line hands it on: of the TEE's report, where there is one. */
static void one_root_for_all(struct verify_build *b)
{
	b->in.tpm.binding.root = b->in.snp.trusted_root;
}

static void no_policy(struct verify_build *b)
{
	b->in.policy = NULL;
}

static void empty_policy(struct verify_build *b)
{
	policy_done(&b->policy);
}

static void genuine_only(struct verify_build *b)
{
	b->in.policy = NULL;
	b->in.genuine_only = true;
}

static void genuine_raw(struct verify_build *b)
{
	genuine_only(b);
	verify_build_raw_binding(b);
}

static void foreign_identity(struct verify_build *b)
{
	b->run.identity = b->other_spki;
	b->run.identity_len = b->other_spki_len;
}

static void identity_prefix(struct verify_build *b)
{
	b->run.identity_len--;
}

static void external(struct verify_build *b)
{
	b->run.external = true;
}

static void allow_external(struct verify_build *b)
{
	b->policy.run.allow_external_identity = true;
}

static void unknown_boot_key(struct verify_build *b)
{
	b->run.entries[b->run.entry_count++] =
		(struct run_entry){ .key = "AGENT_ANYTHING", .value = "1" };
}

static void secret_boot_key(struct verify_build *b)
{
	b->run.entries[b->run.entry_count++] = (struct run_entry){ .key = "AGENT_ANYTHING" };
}

static void allow_boot_key(struct verify_build *b)
{
	static char name[] = "AGENT_ANYTHING", level[] = "AGENT_LOG_LEVEL";
	static char *names[] = { name, level };

	b->policy.run.has_boot_keys = true;
	b->policy.run.boot_keys = names;
	b->policy.run.boot_key_count = ARRAY_LEN(names);
}

static void allow_no_boot_key(struct verify_build *b)
{
	b->policy.run.has_boot_keys = true;
}

/* As a launch fixes it: in SNP's HOST_DATA; TDX's MRCONFIGID has another hash of the same. */
static void launch_fixed(struct verify_build *b)
{
	memset(b->run.boot, 0xb0, sizeof(b->run.boot));
	if (b->kind->fix_boot)
		b->kind->fix_boot(b->run.boot);
}

static void launch_fixed_another(struct verify_build *b)
{
	launch_fixed(b);
	b->run.boot[SHA3_256_LEN - 1] ^= 1;
}

static void launch_fixed_unsaid(struct verify_build *b)
{
	launch_fixed(b);
	b->run.fixed = false;
}

static void launch_fixed_without_run(struct verify_build *b)
{
	launch_fixed(b);
	b->no_run = true;
}

static void launch_fixed_registers_moved(struct verify_build *b)
{
	launch_fixed(b);
	b->twist = TWIST_REGISTERS;
}

/* What "fixed_boot": true of a policy sets, with nothing foreseen. */
static void want_fixed(struct verify_build *b)
{
	struct policy *p = &b->policy;

	p->run.fixed_boot = p->snp.host_data_of_run = p->tdx.of_run = true;
	p->tdx.mrconfigid.count = p->tdx.rtmr[3].count = 0;
}

/* The value itself, without asking for more; TDX's and the others' are foreseen anyway. */
static void foresee_fixed(struct verify_build *b)
{
	static const uint8_t value[SNP_HOST_DATA_LEN] = { [0 ... SNP_HOST_DATA_LEN - 1] = 0xb0 };

	b->policy.snp.host_data = (struct snp_set){ value, 1 };
}

static void want_fixed_of_stock(struct verify_build *b)
{
	want_fixed(b);
	b->policy.run.relayable = true;
	b->in.manifest_count = 0;
}

static void weak_word(struct verify_build *b)
{
	b->run.weak[b->run.weak_count++] = "cocos.role_signature";
}

static void two_weak_words(struct verify_build *b)
{
	weak_word(b);
	b->run.weak[b->run.weak_count++] = "cocos.other";
}

static void allow_weak_word(struct verify_build *b)
{
	static char word[] = "cocos.role_signature";
	static char *words[] = { word };

	b->policy.run.weak_words = words;
	b->policy.run.weak_word_count = 1;
}

static void foreign_manifest(struct verify_build *b)
{
	b->run.manifest[SHA3_256_LEN - 1] ^= 1;
}

static void manifest_of_policy(struct verify_build *b)
{
	b->in.manifest_count = 0;
	b->policy.run.manifests = (struct snp_set){ b->manifest[0], 1 };
}

static void foreign_manifest_of_policy(struct verify_build *b)
{
	manifest_of_policy(b);
	b->manifest[0][0] ^= 1;
}

static void no_manifest(struct verify_build *b)
{
	b->in.manifest_count = 0;
}

static void without_run(struct verify_build *b)
{
	b->no_run = true;
}

static void stock(struct verify_build *b)
{
	b->policy.run.relayable = true;
}

static void stock_without_manifest(struct verify_build *b)
{
	b->policy.run.relayable = true;
	b->in.manifest_count = 0;
}

static void run_evidence_absent(struct verify_build *b)
{
	static const uint8_t none[1];

	b->run_evidence = (struct eat_bytes){ none, 0 };
}

static void run_evidence_token(struct verify_build *b)
{
	static const uint8_t head[] = { 0xd2, 0x84, 0x40 };

	b->run_evidence = (struct eat_bytes){ head, sizeof(head) };
}

static void run_evidence_junk(struct verify_build *b)
{
	static const uint8_t junk[] = { 0x05, 0, 0, 0 };

	b->run_evidence = (struct eat_bytes){ junk, sizeof(junk) };
}

static void run_evidence_of_channel(struct verify_build *b)
{
	b->run_by_channel = true;
}

static void run_cut(struct verify_build *b)
{
	b->cut_run = true;
}

static void expired(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
	b->content.expires = b->kind->at - VERIFY_BUILD_SKEW - 1;
}

static void just_expiring(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
	b->content.expires = b->kind->at - VERIFY_BUILD_SKEW;
}

static void issued_later(struct verify_build *b)
{
	b->content.issued = b->kind->at + VERIFY_BUILD_SKEW + 1;
}

static void issued_long_ago(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
}

static void young_only(struct verify_build *b)
{
	b->policy.token.max_age = 1000 - VERIFY_BUILD_SKEW - 1;
}

static void young_enough(struct verify_build *b)
{
	b->policy.token.max_age = 1000 - VERIFY_BUILD_SKEW;
}

static void measurement_claim_lies(struct verify_build *b)
{
	static const uint8_t lie[48] = { 1 };

	b->content.measurement = (struct eat_bytes){ lie, sizeof(lie) };
}

static void wants_ueid(struct verify_build *b)
{
	b->policy.token.require_ueid = true;
}

static void wants_measurements(struct verify_build *b)
{
	b->policy.token.require_measurements = true;
}

static void wrong_signature(struct verify_build *b)
{
	b->token.bytes[b->token.len - 1] ^= 1;
}

static void cut_token(struct verify_build *b)
{
	b->in.evidence.len--;
}

static void bare_in_eat_mode(struct verify_build *b)
{
	b->in.evidence = (struct span){ b->evidence.bytes, b->evidence.len };
}

static void bare_by_mode(struct verify_build *b)
{
	bare_in_eat_mode(b);
	by_mode(b);
}

static void nothing_at_all(struct verify_build *b)
{
	b->in.evidence = (struct span){ NULL, 0 };
}

static void report_data_of_policy(struct verify_build *b)
{
	b->policy.has_report_data = true;
}

/* The token written again, after the evidence in it was changed. */
static void seal_again(struct verify_build *b)
{
	struct err e;

	writer_done(&b->token);
	b->token = writer_up_to(1 << 20);
	assert_ok(eat_write(&b->content, b->key, &b->token, &e), e);
	b->in.evidence = (struct span){ b->token.bytes, b->token.len };
}

/* Evidence as a stock agent has it: the nonces themselves, and no token. */
static void stock_by_nonces(struct verify_build *b)
{
	struct binding own = { .report_data = { 0 } };

	memcpy(own.report_data, b->tee, b->nonce.tee_len);
	memcpy(own.tpm_nonce, b->vtpm, sizeof(own.tpm_nonce));
	writer_done(&b->evidence);
	b->kind->evidence(&own, TWIST_NONE, &b->evidence);
	bare_by_mode(b);
	b->policy.run.relayable = true;
	b->in.manifest_count = 0;
}

static void stock_by_other_nonces(struct verify_build *b)
{
	stock_by_nonces(b);
	b->tee[31] ^= 1;
	b->vtpm[31] ^= 1;
}

/* The TPM's nonce said by itself. */
static void stock_by_tee_nonce_and_extra_data(struct verify_build *b)
{
	stock_by_nonces(b);
	b->nonce.vtpm_len = 0;
	b->in.binding.tpm_nonce = (struct span){ b->vtpm, sizeof(b->vtpm) };
}

static void vtpm_nonce_alone(struct verify_build *b)
{
	b->nonce.tee_len = 0;
}

/* sevsnp.Attestation in place of report and table. */
static void snp_as_protobuf(struct verify_build *b)
{
	struct writer message = writer_up_to(1 << 16), chain = writer_up_to(1 << 16);
	struct snp_cert_table table;
	struct span report, rest;
	struct err e;

	snp_evidence_split((struct span){ b->evidence.bytes, b->evidence.len }, &report, &rest);
	assert_ok(snp_cert_table_parse(rest, &table, &e), e);
	tpm_forge_sevsnp(report.bytes, &message);
	tpm_forge_field(&chain, 1, table.vcek);
	tpm_forge_field(&message, 2, tpm_forge_span(&chain));
	writer_done(&chain);
	writer_done(&b->evidence);
	b->evidence = message;
	b->content.raw_report = (struct eat_bytes){ message.bytes, message.len };
	seal_again(b);
}

static void snp_as_half_a_protobuf(struct verify_build *b)
{
	snp_as_protobuf(b);
	b->content.raw_report.len /= 2;
	seal_again(b);
}

/* The TEE's report of a message that has one. */
static struct sevsnp_attestation report_of(const struct verify_build *b, size_t *head)
{
	struct tpm_attestation *a = malloc(sizeof(*a));
	struct sevsnp_attestation s;
	struct err e;

	assert_ok(tpm_attestation_parse((struct span){ b->evidence.bytes, b->evidence.len }, a, &e),
		  e);
	assert_ok(sevsnp_attestation_parse(a->sev_snp, &s, &e), e);
	*head = (size_t)(a->sev_snp.bytes - b->evidence.bytes) - 3; /* tag, length of two bytes */
	free(a);
	return s;
}

static uint8_t tee_report[SNP_REPORT_LEN];

static void report_beside(struct verify_build *b)
{
	size_t head;

	memcpy(tee_report, report_of(b, &head).report, sizeof(tee_report));
	b->content.tee_report = (struct eat_bytes){ tee_report, sizeof(tee_report) };
	seal_again(b);
}

static void other_report_beside(struct verify_build *b)
{
	report_beside(b);
	tee_report[0x90] ^= 1;
	seal_again(b);
}

static void half_a_report_beside(struct verify_build *b)
{
	report_beside(b);
	b->content.tee_report.len /= 2;
	seal_again(b);
}

static void no_report(struct verify_build *b)
{
	size_t head;

	(void)report_of(b, &head);
	b->content.raw_report.len = head;
	seal_again(b);
}

static void other_report_alone(struct verify_build *b)
{
	other_report_beside(b);
	no_report(b);
}

/* A VCEK has to come from elsewhere then. */
static void report_alone(struct verify_build *b)
{
	static struct sevsnp_attestation s;
	size_t head;

	s = report_of(b, &head);
	report_beside(b);
	no_report(b);
	b->in.snp.vek = s.vcek;
}

static void report_of_nothing(struct verify_build *b)
{
	size_t head;

	(void)report_of(b, &head);
	b->evidence.bytes[head + 4] ^= 0x55; /* within sevsnp.Attestation */
	seal_again(b);
}

static void stock_signed_by_whom(struct verify_build *b)
{
	stock_by_nonces(b);
	b->in.token_key = b->key;
}

static void quote_nonce_alone(struct verify_build *b)
{
	verify_build_raw_binding(b);
	b->in.binding.report_data = NULL;
	b->in.token_key = b->key;
}

static void lists_of_an_ak_s_root(struct verify_build *b)
{
	b->in.tpm.binding.root = (struct span){ b->spki, b->spki_len };
	b->in.snp.require_crl = true;
}

/* ---- the cases ---- */

enum {
	NOT_SNP = ~(1u << VERIFY_SNP),
	NOT_VTPM = ~(1u << VERIFY_VTPM),
	NOT_SNP_VTPM = ~(1u << VERIFY_SNP_VTPM),
};

#define BOUND "(bound)" /* the kind's own check */

static const struct row {
	const char *name;
	change_fn *statement, *call;
	const char *check; /* NULL: accepted */
	unsigned not_for;  /* set of 1 << mode */
} rows[] = {
	{ "a token", nothing, nothing, NULL, 0 },
	{ "a token, its mode named", nothing, by_mode, NULL, 0 },
	{ "a token on a channel", channel, nothing, NULL, 0 },
	{ "a token without use", nothing, nothing, NULL, 0 },
	{ "the shortest nonce", shortest_nonce, nothing, NULL, 0 },
	{ "genuine only", nothing, genuine_only, NULL, 0 },
	{ "raw binding", nothing, verify_build_raw_binding, NULL, 0 },
	{ "raw binding, stock, signer named", nothing, raw_stock_named, NULL, 0 },
	{ "manifest of the policy", nothing, manifest_of_policy, NULL, 0 },
	{ "no manifest named", foreign_manifest, no_manifest, NULL, 0 },
	{ "external identity allowed", external, allow_external, NULL, 0 },
	{ "boot key allowed", unknown_boot_key, allow_boot_key, NULL, 0 },
	{ "secret boot key allowed", secret_boot_key, allow_boot_key, NULL, 0 },
	{ "a boot fixed at launch", launch_fixed, want_fixed, NULL, 0 },
	{ "a boot fixed as foreseen", launch_fixed, foresee_fixed, NULL, 0 },
	{ "weak word allowed", weak_word, allow_weak_word, NULL, 0 },
	{ "old, yet young enough", issued_long_ago, young_enough, NULL, 0 },
	{ "about to expire", just_expiring, nothing, NULL, 0 },
	{ "stock, no run statement", without_run, stock_without_manifest, NULL, 0 },

	{ "stock evidence over the nonces", nothing, stock_by_nonces, NULL, 0 },
	{ "stock evidence, extraData by itself", nothing, stock_by_tee_nonce_and_extra_data, NULL,
	  1 << VERIFY_SNP | 1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "the TPM's nonce alone", vtpm_nonce_alone, nothing, NULL, 0 },
	{ "a protobuf of go-sev-guest", nothing, snp_as_protobuf, NULL, NOT_SNP },
	{ "the report as it was, beside", nothing, report_beside, NULL, NOT_SNP_VTPM },
	{ "the report as it was, alone", nothing, report_alone, NULL, NOT_SNP_VTPM },
	{ "half a protobuf", nothing, snp_as_half_a_protobuf, "parse.protobuf", NOT_SNP },
	{ "another report beside", nothing, other_report_beside, "token.agrees", NOT_SNP_VTPM },
	{ "half a report beside", nothing, half_a_report_beside, "token.agrees", NOT_SNP_VTPM },
	{ "no report", nothing, no_report, "parse.report_there", NOT_SNP_VTPM },
	{ "another report alone", nothing, other_report_alone, "chain.vek", NOT_SNP_VTPM },
	{ "a report that is none", nothing, report_of_nothing, "parse.protobuf", NOT_SNP_VTPM },
	{ "a TPM's nonce and no report data", nothing, quote_nonce_alone, "ak.report", NOT_SNP_VTPM },
	{ "lists of an AK's root", nothing, lists_of_an_ak_s_root, "crl.ak", NOT_VTPM },
	{ "stock evidence over other nonces", nothing, stock_by_other_nonces, BOUND, 0 },
	{ "a nonce and its extraData", nothing, same_extra_data, NULL, 0 },
	{ "one root for report and TPM", nothing, one_root_for_all, NULL, 0 },

	{ "a nonce and another extraData", nothing, other_extra_data, "token.nonce_named", 0 },
	{ "a channel and another extraData", channel, other_extra_data, "token.nonce_named", 0 },
	{ "Azure's report beside another kind", nothing, hcl_report_too, "input.used",
	  1 << VERIFY_SNP_VTPM },
	{ "AMD's CRL beside another kind", nothing, crl_too, "input.used",
	  1 << VERIFY_SNP | 1 << VERIFY_SNP_VTPM },
	{ "nonces of 15 bytes", short_nonces, nothing, "token.nonce_length", 0 },
	{ "another nonce", nothing, other_nonce, "token.nonce", 0 },
	{ "a nonce with more behind", nothing, longer_nonce, "token.nonce", 0 },
	{ "relayed evidence", relayed, nothing, BOUND, 0 },
	{ "relayed evidence on a channel", channel, another_channel, "token.nonce", 0 },
	{ "a kind left out", nothing, other_kind_too, "token.whole", 1 << VERIFY_SNP_VTPM },
	{ "another mode", nothing, other_mode, "token.platform", 0 },
	{ "an input without effect", nothing, unused_input, "input.used", 1 << VERIFY_SNP_VTPM },
	{ "another product", nothing, unused_input, "binding.product_named",
	  1 << VERIFY_SNP | 1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "a signer named where nothing is signed", nothing, stock_signed_by_whom, "input.used", 0 },
	{ "a signer nobody vouches for", nothing, raw_and_stock, "token.vouched", 0 },
	{ "such a signer, genuine only", nothing, genuine_raw, "token.vouched", 0 },
	{ "another signer than named", nothing, named_other, "token.signature", 0 },
	{ "a token of another nonce", foreign_token_nonce, nothing, "token.nonce", 0 },
	{ "a channel's token for a nonce", says_channel, nothing, "token.nonce_use", 0 },
	{ "a run's token for a nonce", says_run, nothing, "token.nonce_use", 0 },
	{ "a channel with another key", channel, channel_of_another, "token.binding", 0 },
	{ "bare evidence for a nonce", nothing, bare_by_mode, "token.binding", 0 },
	{ "bare evidence in mode eat", nothing, bare_in_eat_mode, "token.form", 0 },
	{ "nothing", nothing, nothing_at_all, "token.form", 0 },
	{ "a token cut", nothing, cut_token, "token.form", 0 },
	{ "a signature changed", nothing, wrong_signature, "token.signature", 0 },
	{ "expired", expired, nothing, "token.time", 0 },
	{ "from the future", issued_later, nothing, "token.time", 0 },
	{ "too old for the policy", issued_long_ago, young_only, "token.age", 0 },
	{ "no ueid", nothing, wants_ueid, "token.claims", 0 },
	{ "no measurements", nothing, wants_measurements, "token.claims", 0 },
	{ "a claim that lies", measurement_claim_lies, nothing, "token.agrees", 0 },
	{ "a TPM's claim, demanded", measurement_claim_lies, wants_measurements, "token.agrees",
	  1 << VERIFY_SNP | 1 << VERIFY_TDX | 1 << VERIFY_SNP_VTPM },
	{ "no policy", nothing, no_policy, "policy.given", 0 },
	{ "a policy of nothing", nothing, empty_policy, "policy.given", 0 },
	{ "report data of the policy", nothing, report_data_of_policy,
	  "policy.report_data_of_policy", 1 << VERIFY_VTPM },

	{ "no run statement", without_run, nothing, "run.statement", 0 },
	{ "stock and a manifest", without_run, stock, "run.manifest", 0 },
	{ "a statement without evidence", run_evidence_absent, nothing, "run.statement", 0 },
	{ "a statement cut", run_cut, nothing, "run.form", 0 },
	{ "another's statement", foreign_identity, nothing, "run.identity", 0 },
	{ "a statement of half a key", identity_prefix, nothing, "run.identity", 0 },
	{ "a key from outside", external, nothing, "run.identity_made_inside", 0 },
	{ "an unknown boot key", unknown_boot_key, nothing, "run.boot_keys", 0 },
	{ "an unknown secret boot key", secret_boot_key, nothing, "run.boot_keys", 0 },
	{ "a boot key that the policy forbids", nothing, allow_no_boot_key, "run.boot_keys", 0 },
	{ "a boot not fixed at launch", launch_fixed_unsaid, want_fixed, "run.fixed_boot", 0 },
	{ "a boot fixed as foreseen, which nobody compared", launch_fixed_unsaid, foresee_fixed,
	  "run.fixed_boot", 1 << VERIFY_VTPM },
	{ "a boot fixed as foreseen, another told", launch_fixed_another, foresee_fixed,
	  "run.host_data", 1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "another boot fixed than told", launch_fixed_another, want_fixed, "run.host_data",
	  1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "registers moved since the statement", launch_fixed_registers_moved, want_fixed,
	  "run.same_rtmrs", 1 << VERIFY_SNP | 1 << VERIFY_SNP_VTPM | 1 << VERIFY_VTPM },
	{ "host data of zero", nothing, want_fixed, "policy.host_data",
	  1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "host data that nobody asked for", launch_fixed, nothing, "policy.host_data",
	  1 << VERIFY_TDX | 1 << VERIFY_VTPM },
	{ "a fixed boot of a stock agent", launch_fixed_without_run, want_fixed_of_stock,
	  "run.fixed_boot", 0 },
	{ "a weak word", weak_word, nothing, "run.weak_words", 0 },
	{ "one weak word too many", two_weak_words, allow_weak_word, "run.weak_words", 0 },
	{ "another manifest", foreign_manifest, nothing, "run.manifest", 0 },
	{ "another manifest in the policy", nothing, foreign_manifest_of_policy, "run.manifest", 0 },
	{ "a statement of a stock agent that lies", foreign_identity, stock, "run.identity", 0 },
	{ "a token as a statement's evidence", run_evidence_token, nothing, "run.evidence", 0 },
	{ "junk as a statement's evidence", run_evidence_junk, nothing, "run.evidence", 0 },
	{ "a statement's evidence of a channel", run_evidence_of_channel, nothing, "run.evidence",
	  0 },
};

static size_t judged;

static void judge_row(const struct verify_kind *kind, const struct row *row)
{
	const char *check = row->check && strcmp(row->check, BOUND) == 0 ? kind->bound : row->check;
	struct err e;

	if (row->not_for & 1u << kind->mode)
		return;
	judged++;
	int rc = run(kind, row->statement, row->call, &e);
	if (!check) {
		if (rc != 0)
			fail_msg("%s, %s: %s", kind->name, row->name, e.text);
		return;
	}
	if (rc != -ERR_DENIED || strncmp(e.text, check, strlen(check)) != 0 ||
	    e.text[strlen(check)] != ':')
		fail_msg("%s, %s: %d, '%s', wanted %s", kind->name, row->name, rc, e.text, check);
	if (result.has_identity)
		fail_msg("%s, %s: an identity beside a no", kind->name, row->name);
}

static enum verify_twist twist_now;

static void twisted(struct verify_build *b)
{
	b->twist = twist_now;
}

static void judge_kind(const struct verify_kind *kind)
{
	kind->setup();
	judged = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		judge_row(kind, &rows[i]);
	for (const struct verify_same *s = kind->same; s->check; s++) {
		twist_now = s->twist;
		judge_row(kind, &(struct row){ s->check, twisted, nothing, s->check, 0 });
	}
	print_message("# %s: %zu cases\n", kind->name, judged);
	kind->teardown();
}

static void snp_tokens_are_judged_by_each_rule(void **state)
{
	judge_kind(&verify_kind_snp);
}

static void tdx_tokens_are_judged_by_each_rule(void **state)
{
	judge_kind(&verify_kind_tdx);
}

static void vtpm_tokens_are_judged_by_each_rule(void **state)
{
	judge_kind(&verify_kind_vtpm);
}

static void snp_vtpm_tokens_are_judged_by_each_rule(void **state)
{
	judge_kind(&verify_kind_snp_vtpm);
}

/* The identity is told only where the binding holds the key. */
static void the_identity_is_that_of_the_binding(void **state)
{
	const struct verify_kind *kind = &verify_kind_tdx;
	struct err e;

	kind->setup();
	assert_ok(run(kind, nothing, nothing, &e), e);
	assert_true(result.has_identity && result.has_manifest);
	assert_ok(run(kind, channel, nothing, &e), e);
	assert_true(result.has_identity);
	assert_ok(run(kind, nothing, raw_stock_named, &e), e);
	assert_false(result.has_identity);
	assert_ok(run(kind, nothing, genuine_only, &e), e);
	assert_true(result.has_identity);
	assert_false(result.has_manifest);
	kind->teardown();
}

static void other_kind_too_by_mode(struct verify_build *b)
{
	other_kind_too(b);
	by_mode(b);
}

static bool has_note(const char *words)
{
	for (size_t i = 0; i < verdict.note_count; i++)
		if (strstr(verdict.notes[i], words))
			return true;
	return false;
}

/* Who names the mode leaves the rest of the policy out, and the verdict says so. */
static void what_a_mode_leaves_out_is_noted(void **state)
{
	const struct verify_kind *kinds[] = { &verify_kind_snp, &verify_kind_tdx, &verify_kind_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		assert_ok(run(kinds[k], nothing, by_mode, &e), e);
		assert_false(has_note("was not looked at"));
		assert_ok(run(kinds[k], nothing, other_kind_too_by_mode, &e), e);
		assert_true(has_note("was not looked at"));
		kinds[k]->teardown();
	}
}

/* What makes no sense is no verdict. */
static void a_call_without_sense_is_an_error(void **state)
{
	static const struct {
		change_fn *call;
		const char *words;
	} calls[] = {
		{ too_much_skew, "skew" },	 { two_bindings, "two ways" },
		{ all_bindings, "two ways" },	 { no_binding, "nothing says" },
		{ no_nonce, "an empty nonce" },
	};
	const struct verify_kind *kinds[] = { &verify_kind_tdx, &verify_kind_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
			assert_refused(run(kinds[k], nothing, calls[i].call, &e), e, ERR_INVALID,
				       calls[i].words);
			assert_false(verdict_ok(&verdict));
		}
		kinds[k]->teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_tokens_are_judged_by_each_rule),
		cmocka_unit_test(tdx_tokens_are_judged_by_each_rule),
		cmocka_unit_test(vtpm_tokens_are_judged_by_each_rule),
		cmocka_unit_test(snp_vtpm_tokens_are_judged_by_each_rule),
		cmocka_unit_test(the_identity_is_that_of_the_binding),
		cmocka_unit_test(what_a_mode_leaves_out_is_noted),
		cmocka_unit_test(a_call_without_sense_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
