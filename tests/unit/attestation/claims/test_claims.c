/* SPDX-License-Identifier: Apache-2.0 */
/* What a verdict tells of its evidence: all of it, by the names that docs/verdict.md has, and never as
 * verified where anything speaks against it. */
#include "attestation/claims/claims.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "tests/unit/attestation/verify/verify_rows.h"

#include <stdio.h>

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
						   &verify_kind_vtpm, &verify_kind_snp_vtpm };

/* The parts that a whole verification of that kind has. */
static const struct {
	enum evidence_kind mode;
	const char *parts[5];
} wanted_parts[] = {
	{ EVIDENCE_SNP, { "snp", "token", "run" } },
	{ EVIDENCE_TDX, { "tdx", "token", "run" } },
	{ EVIDENCE_VTPM, { "tpm", "token", "run" } },
	{ EVIDENCE_SNP_VTPM, { "snp", "tpm", "token", "run" } },
};

static struct verdict verdict;
static struct verify_result result;

static void free_json(struct json **root)
{
	json_free(*root);
}
#define CLEANUP_JSON __attribute__((cleanup(free_json)))

/* The claims of one verification with these changes. */
static struct json *claims_of(const struct verify_kind *kind, verify_change_fn *statement,
			      verify_change_fn *call)
{
	struct writer w = writer_up_to(CLAIMS_MAX);
	struct json *root = NULL;
	struct verify_build b;
	struct err e;

	verify_build_begin(&b, kind);
	statement(&b);
	verify_build_seal(&b);
	call(&b);
	assert_ok(verify(&b.in, &verdict, &result, &e), e);
	assert_ok(claims_json(&b.in, &result, &verdict, &w, &e), e);
	assert_ok(json_parse(w.bytes, w.len, &root, &e), e);
	verify_build_end(&b);
	writer_done(&w);
	return root;
}

static bool is_verified(const struct json *part)
{
	bool verified = false;
	struct err e;

	assert_ok(json_get_bool(part, "verified", &verified, &e), e);
	return verified;
}

static bool is_part(const struct json *member)
{
	return member->type == JSON_OBJECT;
}

static size_t count_parts(const struct json *root, bool verified)
{
	size_t count = 0;

	for (size_t i = 0; i < root->count; i++)
		count += is_part(&root->items[i]) && is_verified(&root->items[i]) == verified;
	return count;
}

static void set_up(const struct verify_kind *kind)
{
	kind->setup();
}

/* ---- a yes ---- */

static void a_yes_tells_each_part_as_verified(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		set_up(kinds[i]);
		struct json *root CLEANUP_JSON = claims_of(kinds[i], nothing, nothing);
		size_t count = 0;

		assert_true(verdict_ok(&verdict));
		assert_int_equal(verdict_fault(&verdict), FAULT_NONE);
		assert_int_equal(wanted_parts[i].mode, kinds[i]->mode);
		assert_string_equal(json_get(root, "kind")->text,
				    evidence_kind_name(kinds[i]->mode));
		for (; wanted_parts[i].parts[count]; count++)
			assert_true(is_verified(json_get(root, wanted_parts[i].parts[count])));
		assert_int_equal(count_parts(root, true), count);
		assert_int_equal(count_parts(root, false), 0);
		kinds[i]->teardown();
	}
}

static void assert_hex(const struct json *object, const char *name, const void *bytes, size_t len)
{
	char hex[2 * 64 + 1];

	hex_encode(bytes, len, hex);
	assert_non_null(json_get(object, name));
	assert_string_equal(json_get(object, name)->text, hex);
}

static void the_values_are_those_of_the_evidence(void **state)
{
	set_up(&verify_kind_snp);
	struct json *snp CLEANUP_JSON = claims_of(&verify_kind_snp, nothing, nothing);
	const struct json *report = json_get(json_get(snp, "snp"), "report");
	const struct snp_report *r = &result.snp.report;
	uint64_t number;
	struct err e;

	assert_hex(report, "measurement", r->measurement, sizeof(r->measurement));
	assert_hex(report, "report_data", r->report_data, sizeof(r->report_data));
	assert_hex(report, "host_data", r->host_data, sizeof(r->host_data));
	assert_hex(report, "chip_id", r->chip_id, sizeof(r->chip_id));
	assert_hex(report, "report_id", r->report_id, sizeof(r->report_id));
	assert_ok(json_get_u64(report, "vmpl", &number, &e), e);
	assert_int_equal(number, r->vmpl);
	assert_string_equal(json_get(json_get(snp, "snp"), "product")->text,
			    snp_product_name(result.snp.product));
	assert_ok(json_get_u64(json_get(report, "launch_tcb"), "microcode", &number, &e), e);
	assert_int_equal(number, snp_tcb_of(r->launch_tcb, result.snp.product).microcode);
	assert_hex(json_get(snp, "run"), "manifest", result.manifest, sizeof(result.manifest));
	verify_kind_snp.teardown();

	set_up(&verify_kind_tdx);
	struct json *tdx CLEANUP_JSON = claims_of(&verify_kind_tdx, nothing, nothing);
	const struct tdx_body *body = &result.tdx.quote.body;
	const struct json *quote = json_get(json_get(tdx, "tdx"), "quote");

	assert_hex(quote, "mrtd", body->mrtd, sizeof(body->mrtd));
	assert_hex(quote, "rtmr2", body->rtmr[2], sizeof(body->rtmr[2]));
	assert_hex(quote, "tee_tcb_svn", body->tee_tcb_svn, sizeof(body->tee_tcb_svn));
	assert_hex(json_get(json_get(tdx, "tdx"), "pck"), "fmspc", result.tdx.pck.fmspc,
		   sizeof(result.tdx.pck.fmspc));
	assert_string_equal(json_get(json_get(json_get(tdx, "tdx"), "tcb"), "status")->text,
			    tdx_status_name(result.tdx.status));
	verify_kind_tdx.teardown();

	set_up(&verify_kind_vtpm);
	struct json *tpm CLEANUP_JSON = claims_of(&verify_kind_vtpm, nothing, nothing);
	const struct json *first = &json_get(json_get(tpm, "tpm"), "quotes")->items[0];

	assert_hex(json_get(tpm, "tpm"), "ak_sha256", result.tpm.ak, sizeof(result.tpm.ak));
	assert_ok(json_get_u64(first, "reset_count", &number, &e), e);
	assert_int_equal(number, result.tpm.reset_count);
	assert_non_null(json_get(json_get(json_get(first, "pcrs"), "sha256"), "0"));
	verify_kind_vtpm.teardown();
}

/* ---- a no ---- */

static void another_report_data(struct verify_build *b)
{
	b->policy.has_report_data = true;
	memset(b->policy.report_data, 1, sizeof(b->policy.report_data));
}

/* The first of the registers that say which guest this is. */
static void another_guest_than_wanted(struct verify_build *b)
{
	static const uint8_t others[64] = { 0xee };
	struct policy *p = &b->policy;

	p->snp.measurements = (struct value_set){ others, 1 };
	p->tdx.mrtd = (struct value_set){ others, 1 };
}

static void another_nonce(struct verify_build *b)
{
	b->tee[0] ^= 1;
	b->vtpm[0] ^= 1;
}

static void a_signature_that_is_none(struct verify_build *b)
{
	b->token.bytes[b->token.len - 1] ^= 1;
}

static void a_cut_token(struct verify_build *b)
{
	b->in.evidence.len--;
}

static void no_policy(struct verify_build *b)
{
	b->in.policy = NULL;
}

/* The evidence inside changed in its last byte of what is signed, and the token signed anew. */
static void evidence_that_nobody_signed(struct verify_build *b)
{
	static const size_t at[] = { [EVIDENCE_SNP] = 0x90, [EVIDENCE_TDX] = 48 + 136 };
	struct err e;

	((uint8_t *)b->evidence.bytes)[at[b->kind->mode]] ^= 1;
	writer_done(&b->token);
	b->token = writer_up_to(1 << 20);
	b->content.raw_report = (struct eat_bytes){ b->evidence.bytes, b->evidence.len };
	b->content.measurement = (struct eat_bytes){ NULL, 0 };
	assert_ok(eat_write(&b->content, b->key, &b->token, &e), e);
	b->in.evidence = (struct span){ b->token.bytes, b->token.len };
}

static const struct refusal {
	const char *name;
	verify_change_fn *call;
	enum check_fault fault;
	bool shown;    /* there is something to tell */
	bool verified; /* of the hardware's part */
	unsigned modes;
} refusals[] = {
	{ "other report data than the policy's", another_report_data, FAULT_UNWANTED, true, true,
	  1u << EVIDENCE_SNP | 1u << EVIDENCE_TDX },
	{ "another guest than the policy's", another_guest_than_wanted, FAULT_UNWANTED, true, true,
	  1u << EVIDENCE_SNP | 1u << EVIDENCE_TDX | 1u << EVIDENCE_SNP_VTPM },
	{ "another nonce", another_nonce, FAULT_UNWANTED, true, false, ~0u },
	{ "a signature that is none", a_signature_that_is_none, FAULT_NOT_GENUINE, true, false,
	  ~0u },
	{ "evidence that nobody signed", evidence_that_nobody_signed, FAULT_NOT_GENUINE, true,
	  false, 1u << EVIDENCE_SNP | 1u << EVIDENCE_TDX },
	{ "a cut token", a_cut_token, FAULT_MALFORMED, false, false, ~0u },
	{ "no policy", no_policy, FAULT_UNWANTED, true, false, ~0u },
};

static void judge_refusal(const struct verify_kind *kind, size_t i, const struct refusal *r)
{
	struct json *root CLEANUP_JSON = claims_of(kind, nothing, r->call);
	const struct json *part = json_get(root, wanted_parts[i].parts[0]);

	assert_false(verdict_ok(&verdict));
	if (verdict_fault(&verdict) != r->fault)
		fail_msg("%s: %s", r->name, check_fault_word(verdict_fault(&verdict)));
	if ((part != NULL) != r->shown)
		fail_msg("%s, %s: there %d", evidence_kind_name(kind->mode), r->name, part != NULL);
	if (part && is_verified(part) != r->verified)
		fail_msg("%s, %s: verified %d", evidence_kind_name(kind->mode), r->name,
			 is_verified(part));
	/* Where the hardware's word does not count, nobody's does. */
	if (!r->verified && count_parts(root, true))
		fail_msg("%s, %s: a part is verified", evidence_kind_name(kind->mode), r->name);
}

static void a_no_tells_what_is_left_to_rely_on(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		set_up(kinds[i]);
		for (size_t k = 0; k < ARRAY_LEN(refusals); k++)
			if (refusals[k].modes & 1u << kinds[i]->mode)
				judge_refusal(kinds[i], i, &refusals[k]);
		kinds[i]->teardown();
	}
}

/* ---- a TPM that a guest names ---- */

static void genuine_only(struct verify_build *b)
{
	b->in.genuine_only = true;
	b->in.policy = NULL;
	b->in.manifest_count = 0;
}

static uint8_t ak_bytes[1024];
static size_t ak_len;

static void guest_of_another_and_ak_named(struct verify_build *b)
{
	another_guest_than_wanted(b);
	b->in.tpm.binding.named = (struct span){ ak_bytes, ak_len };
}

static void take_ak(const struct json *root)
{
	const char *ak = json_get(json_get(root, "tpm"), "ak_pub")->text;
	struct err e;

	assert_ok(hex_decode_up_to(ak, ak_bytes, sizeof(ak_bytes), &ak_len, &e), e);
}

/* Any tenant's guest can: that AMD signed its report says nothing of the quotes. */
static void a_tpm_is_verified_by_a_guest_that_is_wanted(void **state)
{
	set_up(&verify_kind_snp_vtpm);
	struct json *good CLEANUP_JSON = claims_of(&verify_kind_snp_vtpm, nothing, nothing);
	static verify_change_fn *const changes[] = { another_guest_than_wanted, genuine_only };

	assert_true(is_verified(json_get(good, "tpm")));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct json *root CLEANUP_JSON =
			claims_of(&verify_kind_snp_vtpm, nothing, changes[i]);

		assert_true(verdict_is_genuine(&verdict));
		assert_true(is_verified(json_get(root, "snp")));
		assert_false(is_verified(json_get(root, "tpm")));
		assert_false(is_verified(json_get(root, "run")));
	}
	take_ak(good);
	struct json *of_named CLEANUP_JSON =
		claims_of(&verify_kind_snp_vtpm, nothing, guest_of_another_and_ak_named);
	assert_false(verdict_ok(&verdict));
	assert_true(is_verified(json_get(of_named, "tpm")));
	verify_kind_snp_vtpm.teardown();
}

/* ---- a stock agent, which has evidence made over any keys ---- */

static void stock(struct verify_build *b)
{
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

static void stock_and_ak_named(struct verify_build *b)
{
	stock(b);
	b->policy.has_tpm = true;
	b->in.tpm.binding.named = (struct span){ ak_bytes, ak_len };
}

static void stock_and_signer_named(struct verify_build *b)
{
	stock(b);
	b->in.token_key = b->key;
}

/* What is left is what the TEE signs itself, and whose key the caller names. */
static void no_key_is_verified_by_a_stock_agent(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		set_up(kinds[i]);
		struct json *root CLEANUP_JSON = claims_of(kinds[i], nothing, stock);
		struct json *named CLEANUP_JSON =
			claims_of(kinds[i], nothing, stock_and_signer_named);
		const struct json *tpm = json_get(root, "tpm");
		bool alone = kinds[i]->mode == EVIDENCE_VTPM; /* its key is named, as ever */

		assert_true(verdict_ok(&verdict));
		assert_false(is_verified(json_get(root, "token")));
		assert_false(is_verified(json_get(root, "run")));
		assert_true(alone || is_verified(json_get(root, wanted_parts[i].parts[0])));
		assert_true(!tpm || is_verified(tpm) == alone);
		assert_true(is_verified(json_get(named, "token")));
		assert_false(is_verified(json_get(named, "run")));
		kinds[i]->teardown();
	}
	set_up(&verify_kind_snp_vtpm);
	struct json *told CLEANUP_JSON = claims_of(&verify_kind_snp_vtpm, nothing, stock);
	take_ak(told);
	struct json *named CLEANUP_JSON =
		claims_of(&verify_kind_snp_vtpm, nothing, stock_and_ak_named);
	assert_true(verdict_ok(&verdict));
	assert_true(is_verified(json_get(named, "tpm")));
	verify_kind_snp_vtpm.teardown();
}

/* ---- a token of which nothing vouches for the signer ---- */

static void by_raw_binding(struct verify_build *b)
{
	verify_build_raw_binding(b);
	verify_build_stock(b);
	b->policy.run.manifests.count = 0;
	b->in.manifest_count = 0;
	b->in.token_key = b->key;
}

static void by_raw_binding_unnamed(struct verify_build *b)
{
	by_raw_binding(b);
	b->in.token_key = NULL;
	genuine_only(b);
}

static void no_statement(struct verify_build *b)
{
	b->no_run = true;
}

static void a_signer_that_nothing_binds_verifies_no_claim(void **state)
{
	set_up(&verify_kind_snp);
	struct json *named CLEANUP_JSON = claims_of(&verify_kind_snp, no_statement, by_raw_binding);
	assert_true(verdict_ok(&verdict));
	assert_true(is_verified(json_get(named, "token")));
	struct json *unnamed CLEANUP_JSON =
		claims_of(&verify_kind_snp, no_statement, by_raw_binding_unnamed);
	assert_false(is_verified(json_get(unnamed, "token")));
	verify_kind_snp.teardown();
}

/* ---- the page ---- */

static char *page;

static void free_page(char **text)
{
	free(*text);
}

/* Rows "| `snp.report.measurement` | …"; the first bar of one that was met becomes a '!'. */
static void look_up(const char *path)
{
	char row[256];
	char *at;

	snprintf(row, sizeof(row), "\n| `%s` |", path);
	at = strstr(page, row);
	if (at)
		at[1] = '!';
	row[1] = '!';
	if (!strstr(page, row))
		fail_msg("docs/verdict.md has no row for claims.%s", path);
}

/* Each row was met, but those of what is not in every piece of evidence. */
static void assert_all_met(void)
{
	for (char *at = page; (at = strstr(at, "\n| `")); at++) {
		char *end = strchr(at + 1, '\n');

		*end = '\0';
		if (!strstr(at + 1, "; not always there |"))
			fail_msg("docs/verdict.md: nothing has this claim: %s", at + 1);
		*end = '\n';
	}
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static void walk(const struct json *v, const char *path)
{
	char below[200];

	if (v->type == JSON_ARRAY) {
		if (!v->count || v->items[0].type != JSON_OBJECT)
			look_up(path);
		for (size_t i = 0; i < v->count && v->items[i].type == JSON_OBJECT; i++) {
			snprintf(below, sizeof(below), "%s[N]", path);
			walk(&v->items[i], below);
		}
		return;
	}
	/* Its members are the agent's settings. */
	if (v->type != JSON_OBJECT || strcmp(path, "run.boot_configuration") == 0) {
		look_up(path);
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		const char *key = v->items[i].key;

		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "",
			 is_number(key) ? "N" : key);
		walk(&v->items[i], below);
	}
}

static void the_page_names_every_claim(void **state)
{
	__attribute__((cleanup(free_page))) char *text = NULL;
	char path[512];
	FILE *file;
	size_t room = 1 << 20;

	snprintf(path, sizeof(path), "%s/docs/verdict.md", getenv("COCOS_SOURCE"));
	file = fopen(path, "r");
	assert_non_null(file);
	text = calloc(1, room);
	assert_non_null(text);
	assert_true(fread(text, 1, room - 1, file) > 0);
	fclose(file);
	page = strstr(text, "\n## Claims\n");
	assert_non_null(page);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		set_up(kinds[i]);
		struct json *root CLEANUP_JSON = claims_of(kinds[i], nothing, nothing);

		walk(root, "");
		kinds[i]->teardown();
	}
	assert_all_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_yes_tells_each_part_as_verified),
		cmocka_unit_test(the_values_are_those_of_the_evidence),
		cmocka_unit_test(a_no_tells_what_is_left_to_rely_on),
		cmocka_unit_test(a_tpm_is_verified_by_a_guest_that_is_wanted),
		cmocka_unit_test(no_key_is_verified_by_a_stock_agent),
		cmocka_unit_test(a_signer_that_nothing_binds_verifies_no_claim),
		cmocka_unit_test(the_page_names_every_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
