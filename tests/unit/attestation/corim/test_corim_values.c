/* SPDX-License-Identifier: Apache-2.0 */
/* CoRIMs that we write, read again, and evidence judged by them: one thing changed at a time. */
#include "attestation/corim/corim_values.h"
#include "attestation/corim/corim_write.h"
#include "attestation/formats/cose.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/unit.h"
#include "tests/unit/attestation/corim/corim_around.h"

enum { AT = 1790000000 };

static struct corim_entry snp_full(void)
{
	struct corim_entry e = { .product = SNP_GENOA,
				 .svn = { true, true, 3 },
				 .has_policy = true,
				 .policy = SNP_POLICY_RESERVED_ONE | SNP_POLICY_SMT | 0x1f,
				 .has_host_data = true,
				 .launch_tcb = { true, true, UINT64_C(0xd900000000000804) } };

	memset(e.measurement, 0xab, sizeof(e.measurement));
	memset(e.host_data, 0xcd, sizeof(e.host_data));
	return e;
}

static struct corim_entry tdx_full(void)
{
	struct corim_entry e = { .tdx = true, .svn = { true, true, 2 } };

	for (size_t i = 0; i < CORIM_MRS; i++) {
		e.has_mr[i] = true;
		memset(e.mr[i], (int)(0x10 + i), TDX_MR_LEN);
	}
	return e;
}

static void read_back(const struct corim_entry *entry, EVP_PKEY *key, struct corim_values *values)
{
	CLEANUP_WRITER struct writer w = writer_up_to(CORIM_MAX);
	struct err e;

	assert_ok(corim_write(entry, key, &w, &e), e);
	assert_ok(corim_values_read((struct span){ w.bytes, w.len }, key, AT, values, &e), e);
	assert_string_equal(values->problem, "");
}

static void assert_same(const struct corim_entry *a, const struct corim_entry *b)
{
	assert_int_equal(a->tdx, b->tdx);
	assert_int_equal(a->product, b->product);
	assert_memory_equal(a->measurement, b->measurement, sizeof(a->measurement));
	assert_int_equal(a->has_policy, b->has_policy);
	assert_int_equal(a->policy, b->policy);
	assert_int_equal(a->has_host_data, b->has_host_data);
	assert_memory_equal(a->host_data, b->host_data, sizeof(a->host_data));
	assert_int_equal(a->svn.given, b->svn.given);
	assert_int_equal(a->svn.number, b->svn.number);
	assert_int_equal(a->launch_tcb.given, b->launch_tcb.given);
	assert_int_equal(a->launch_tcb.number, b->launch_tcb.number);
	assert_memory_equal(a->has_mr, b->has_mr, sizeof(a->has_mr));
	assert_memory_equal(a->mr, b->mr, sizeof(a->mr));
}

static void what_is_written_is_read_again(void **state)
{
	struct corim_entry cases[] = { snp_full(), snp_full(), tdx_full(), tdx_full(), tdx_full() };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	cases[1] = (struct corim_entry){ .product = SNP_MILAN };
	cases[3].has_mr[1] = false;
	memset(cases[3].mr[1], 0, TDX_MR_LEN);
	cases[4] = (struct corim_entry){ .tdx = true, .has_mr = { true } };
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int is_signed = 0; is_signed < 2; is_signed++) {
			struct corim_values values;

			read_back(&cases[i], is_signed ? key : NULL, &values);
			assert_int_equal(values.count, 1);
			assert_int_equal(values.unusable, 0);
			assert_int_equal(values.is_signed, is_signed);
			assert_same(&values.entries[0], &cases[i]);
			corim_values_done(&values);
		}
}

static void the_product_is_named_as_cocos_names_it(void **state)
{
	uint8_t uuid[CORIM_UUID_LEN];
	char hex[2 * CORIM_UUID_LEN + 1];
	struct err e;

	assert_ok(corim_product_uuid("Milan", uuid, &e), e);
	hex_encode(uuid, sizeof(uuid), hex);
	assert_string_equal(hex, "1e73b153b2c25f83950ca04adab2cb0f");
}

/* ---- judging ---- */

static struct snp_result snp_evidence(const struct corim_entry *entry)
{
	struct snp_result r = { .product = entry->product };

	memcpy(r.report.measurement, entry->measurement, sizeof(entry->measurement));
	memcpy(r.report.host_data, entry->host_data, sizeof(entry->host_data));
	r.report.guest_svn = (uint32_t)entry->svn.number;
	r.report.policy = entry->policy;
	bytes_put_le(r.report.launch_tcb, entry->launch_tcb.number, SNP_TCB_LEN);
	return r;
}

static bool judge_snp(const struct corim_values *values, const struct snp_result *result)
{
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));

	verdict_init(v, VERDICT_SCOPE_FULL);
	corim_judge_file(values, v);
	corim_judge_snp(values, result, v);
	verdict_require(v, CHECK_CORIM_REFERENCE);
	return verdict_ok(v);
}

static bool judge_tdx(const struct corim_values *values, const struct tdx_result *result)
{
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));

	verdict_init(v, VERDICT_SCOPE_FULL);
	corim_judge_file(values, v);
	corim_judge_tdx(values, result, v);
	verdict_require(v, CHECK_CORIM_REFERENCE);
	return verdict_ok(v);
}

static void an_snp_report_has_to_be_all_that_an_entry_says(void **state)
{
	const struct corim_entry entry = snp_full();
	const struct snp_result good = snp_evidence(&entry);
	struct corim_values values;
	struct snp_result r;

	read_back(&entry, NULL, &values);
	assert_true(judge_snp(&values, &good));
#define CHANGED(change, wanted)                                   \
	do {                                                      \
		r = good;                                         \
		change;                                           \
		assert_int_equal(judge_snp(&values, &r), wanted); \
	} while (0)
	CHANGED(r.product = SNP_MILAN, false);
	CHANGED(r.report.measurement[47] ^= 1, false);
	CHANGED(r.report.host_data[0] ^= 1, false);
	CHANGED(r.report.guest_svn--, false);
	CHANGED(r.report.guest_svn++, true);
	CHANGED(r.report.policy ^= SNP_POLICY_SMT, false);
	CHANGED(r.report.policy |= SNP_POLICY_SINGLE_SOCKET, false);
	CHANGED(r.report.launch_tcb[0]--, false);
	CHANGED(r.report.launch_tcb[7]++, true);
	/* A greater number is no higher TCB. */
	CHANGED((r.report.launch_tcb[7]++, r.report.launch_tcb[0]--), false);
	corim_values_done(&values);
}

static struct tdx_result *tdx_evidence(const struct corim_entry *entry)
{
	struct tdx_result *r = calloc(1, sizeof(*r));
	struct tdx_body *b = &r->quote.body;

	memcpy(b->mrtd, entry->mr[0], TDX_MR_LEN);
	memcpy(b->mrseam, entry->mr[1], TDX_MR_LEN);
	memcpy(b->rtmr, entry->mr[2], sizeof(b->rtmr));
	b->tee_tcb_svn[0] = (uint8_t)entry->svn.number;
	return r;
}

static void a_quote_has_to_be_all_that_an_entry_says(void **state)
{
	const struct corim_entry entry = tdx_full();
	CLEANUP(free) struct tdx_result *r = tdx_evidence(&entry);
	struct tdx_body *b = &r->quote.body;
	uint8_t *const fields[] = { b->mrtd,    b->mrseam,  b->rtmr[0],
				    b->rtmr[1], b->rtmr[2], b->rtmr[3] };
	struct corim_values values;

	read_back(&entry, NULL, &values);
	assert_true(judge_tdx(&values, r));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		fields[i][7] ^= 1;
		assert_false(judge_tdx(&values, r));
		fields[i][7] ^= 1;
	}
	b->tee_tcb_svn[0]--;
	assert_false(judge_tdx(&values, r));
	corim_values_done(&values);
}

static void one_kind_never_describes_the_other(void **state)
{
	const struct corim_entry snp = snp_full(), tdx = tdx_full();
	const struct snp_result report = snp_evidence(&snp);
	CLEANUP(free) struct tdx_result *quote = tdx_evidence(&tdx);
	struct corim_values values;

	read_back(&tdx, NULL, &values);
	assert_false(judge_snp(&values, &report));
	corim_values_done(&values);
	read_back(&snp, NULL, &values);
	assert_false(judge_tdx(&values, quote));
	corim_values_done(&values);
}

/* Two entries as if they stood in one CoRIM. */
static void two(struct corim_values *values, const struct corim_entry *a,
		const struct corim_entry *b)
{
	memset(values, 0, sizeof(*values));
	values->entries = calloc(3, sizeof(*values->entries));
	values->entries[0] = *a;
	values->entries[1] = *b;
	values->count = 2;
}

/* By the policy that entries make, beside the entries themselves. */
static bool policy_fails(const struct policy *policy, const struct snp_result *r, const char *check)
{
	const struct snp_evidence ev = { .report = &r->report, .product = r->product };
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	bool failed = false;

	verdict_init(v, VERDICT_SCOPE_FULL);
	snp_policy_judge(&policy->snp, &ev, v);
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->checks[i].name, check) == 0)
			failed = v->checks[i].outcome == CHECK_FAILED;
	return failed;
}

static void an_entry_does_not_speak_for_another(void **state)
{
	struct corim_entry a = snp_full();
	const struct corim_entry t = tdx_full();
	struct corim_entry b = { .product = SNP_GENOA }, u = { .tdx = true, .has_mr = { true } };
	struct snp_result r = snp_evidence(&b);
	CLEANUP(free) struct tdx_result *q = tdx_evidence(&t);
	struct corim_values values;
	struct policy policy;
	struct err e;

	a.policy |= SNP_POLICY_MIGRATE_MA;
	memset(b.measurement, 0x11, sizeof(b.measurement));
	memset(r.report.report_id_ma, 0xff, sizeof(r.report.report_id_ma));
	memcpy(r.report.measurement, b.measurement, sizeof(b.measurement));
	r.report.policy = SNP_POLICY_RESERVED_ONE;
	two(&values, &a, &b);
	policy_init(&policy);
	assert_ok(corim_values_policy(&values, &policy, &e), e);
	assert_true(policy.has_snp && !policy.has_tdx);
	assert_int_equal(policy.snp.measurements.count, 2);
	assert_int_equal(policy.snp.host_data.count, 2);
	assert_true(policy.snp.guest_policy & SNP_POLICY_SMT);
	assert_true(judge_snp(&values, &r));
	memcpy(r.report.host_data, a.host_data, sizeof(a.host_data));
	assert_false(judge_snp(&values, &r));
	memset(r.report.host_data, 0, sizeof(a.host_data));
	r.report.policy |= SNP_POLICY_SMT;
	assert_false(judge_snp(&values, &r));
	r.report.policy ^= SNP_POLICY_SMT;
	/* The first entry's SMT and MIGRATE_MA let nothing through for the second. */
	assert_false(policy_fails(&policy, &r, "policy.platform_smt"));
	r.report.platform_info |= SNP_PLATFORM_SMT_EN;
	assert_true(policy_fails(&policy, &r, "policy.platform_smt"));
	assert_false(policy_fails(&policy, &r, "policy.report_id_ma"));
	r.report.report_id_ma[31] = 0;
	assert_true(policy_fails(&policy, &r, "policy.report_id_ma"));
	/* Nor for itself: that an agent may migrate it does not say which one. */
	r.report.policy |= SNP_POLICY_MIGRATE_MA;
	assert_true(policy_fails(&policy, &r, "policy.report_id_ma"));
	corim_values_done(&values);
	policy_done(&policy);

	memset(u.mr[0], 0x77, TDX_MR_LEN);
	memcpy(q->quote.body.mrtd, u.mr[0], TDX_MR_LEN);
	two(&values, &t, &u);
	policy_init(&policy);
	assert_ok(corim_values_policy(&values, &policy, &e), e);
	assert_int_equal(policy.tdx.mrtd.count, 2);
	assert_int_equal(policy.tdx.rtmr[2].count, 1);
	assert_false(judge_tdx(&values, q)); /* the RTMRs are the other entry's */
	corim_values_done(&values);
	policy_done(&policy);
}

static void what_a_policy_says_stays(void **state)
{
	static const uint8_t mine[SNP_DIGEST_LEN] = { 9 };
	const struct corim_entry a = snp_full();
	struct corim_values values;
	struct policy policy;
	struct err e;

	read_back(&a, NULL, &values);
	policy_init(&policy);
	policy.has_snp = true;
	policy.snp.measurements.values = mine;
	policy.snp.measurements.count = 1;
	assert_ok(corim_values_policy(&values, &policy, &e), e);
	assert_ptr_equal(policy.snp.measurements.values, mine);
	assert_false(policy.snp.guest_policy & SNP_POLICY_SMT);
	assert_int_equal(policy.snp.host_data.count, 1); /* it said nothing about that */
	corim_values_done(&values);
	policy_done(&policy);
}

/* ---- files ---- */

static void a_file_that_is_no_good_is_a_refusal(void **state)
{
	CLEANUP_WRITER struct writer plain = writer_up_to(CORIM_MAX),
				     sealed = writer_up_to(CORIM_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = NULL;
	const struct corim_entry entry = snp_full();
	const struct snp_result good = snp_evidence(&entry);
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_generate(KEY_ECDSA, &other, &e), e);
	assert_ok(corim_write(&entry, NULL, &plain, &e), e);
	assert_ok(corim_write(&entry, key, &sealed, &e), e);
	const struct {
		struct span file;
		EVP_PKEY *key;
		bool good;
	} cases[] = {
		{ { plain.bytes, plain.len }, NULL, true },
		{ { plain.bytes, plain.len }, key, false },
		{ { plain.bytes, plain.len - 1 }, NULL, false },
		{ { sealed.bytes, sealed.len }, key, true },
		{ { sealed.bytes, sealed.len }, NULL, false },
		{ { sealed.bytes, sealed.len }, other, false },
		{ { NULL, 0 }, NULL, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct corim_values values;

		assert_ok(corim_values_read(cases[i].file, cases[i].key, AT, &values, &e), e);
		assert_int_equal(!values.problem[0], cases[i].good);
		assert_int_equal(judge_snp(&values, &good), cases[i].good);
		corim_values_done(&values);
	}
	/* Every byte of a signed one counts. */
	for (size_t i = 0; i < sealed.len; i++) {
		struct corim_values values;

		sealed.bytes[i] ^= 1;
		assert_ok(corim_values_read((struct span){ sealed.bytes, sealed.len }, key, AT,
					    &values, &e),
			  e);
		if (judge_snp(&values, &good))
			fail_msg("byte %zu", i);
		corim_values_done(&values);
		sealed.bytes[i] ^= 1;
	}
}

/* Changes of the plain CoRIM's bytes, each of which makes its only entry something else. */
static void what_is_not_understood_describes_nothing(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "snp-tag-", "xnp-tag-" },                 /* whose CoMID? */
		{ "\x82\x07\x58\x30", "\x82\x0b\x58\x30" }, /* SHA3-384 */
		{ "\x19\x02\x82", "\x19\x02\x83" },         /* host data under another key */
		{ "\x19\x0f\x80", "\x19\x0f\x81" },         /* launch TCB likewise */
		{ "\xd8\x25\x50", "\xd8\x6f\x50" },         /* a class that is no UUID */
	};
	const struct corim_entry entry = snp_full();
	const struct snp_result good = snp_evidence(&entry);

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(CORIM_MAX);
		size_t len = strlen(changes[i].from);
		struct corim_values values;
		struct err e;

		assert_ok(corim_write(&entry, NULL, &w, &e), e);
		uint8_t *at = memmem(w.bytes, w.len, changes[i].from, len);
		assert_non_null(at);
		memcpy(at, changes[i].to, len);
		assert_ok(corim_values_read((struct span){ w.bytes, w.len }, NULL, AT, &values, &e),
			  e);
		assert_string_equal(values.problem, "");
		assert_int_equal(values.count, 0);
		assert_int_equal(values.unusable, 1);
		assert_false(judge_snp(&values, &good));
		corim_values_done(&values);
	}
}

/* {0: "id", 1: [bytes of a CoMID as Cocos writes it]}, with one member more where `more` says. */
enum more { MORE_NOTHING, MORE_CLASS, MORE_ENVIRONMENT, MORE_MEASUREMENT, MORE_COUNT };

static void put_uuid(struct writer *w, const uint8_t uuid[CORIM_UUID_LEN])
{
	datum_put_tag(w, 37);
	datum_put_bytes(w, uuid, CORIM_UUID_LEN);
}

static void write_more(const struct corim_entry *entry, enum more more, struct writer *w)
{
	CLEANUP_WRITER struct writer c = writer_up_to(4096);
	uint8_t uuid[CORIM_UUID_LEN] = { 1 };
	struct err e;

	datum_put_map(&c, 2);
	datum_put_uint(&c, 1);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_text(&c, "snp-tag-1");
	datum_put_uint(&c, 4);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_array(&c, 1);
	datum_put_array(&c, 2);
	datum_put_map(&c, more == MORE_ENVIRONMENT ? 3 : 2);
	datum_put_uint(&c, 0);
	datum_put_map(&c, more == MORE_CLASS ? 2 : 1);
	datum_put_uint(&c, 0);
	put_uuid(&c, uuid);
	if (more == MORE_CLASS) { /* index */
		datum_put_uint(&c, 4);
		datum_put_uint(&c, 1);
	}
	datum_put_uint(&c, 1);
	assert_ok(corim_product_uuid(snp_product_name(entry->product), uuid, &e), e);
	put_uuid(&c, uuid);
	if (more == MORE_ENVIRONMENT) {
		datum_put_uint(&c, 9);
		datum_put_uint(&c, 1);
	}
	datum_put_array(&c, 1);
	datum_put_map(&c, more == MORE_MEASUREMENT ? 3 : 2);
	datum_put_uint(&c, 0);
	datum_put_uint(&c, 641);
	datum_put_uint(&c, 1);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 2);
	datum_put_array(&c, 1);
	datum_put_array(&c, 2);
	datum_put_uint(&c, 7);
	datum_put_bytes(&c, entry->measurement, SNP_DIGEST_LEN);
	if (more == MORE_MEASUREMENT) { /* authorized-by */
		datum_put_uint(&c, 2);
		datum_put_array(&c, 0);
	}
	corim_around(&c, w);
}

static void a_member_more_may_ask_for_more_than_is_compared(void **state)
{
	struct corim_entry entry = snp_full();

	entry.has_policy = entry.has_host_data = entry.svn.given = entry.launch_tcb.given = false;
	for (enum more more = MORE_NOTHING; more < MORE_COUNT; more++) {
		CLEANUP_WRITER struct writer w = writer_up_to(4096);
		struct corim_values values;
		struct err e;

		write_more(&entry, more, &w);
		assert_ok(corim_values_read((struct span){ w.bytes, w.len }, NULL, AT, &values, &e),
			  e);
		assert_string_equal(values.problem, "");
		assert_int_equal(values.count, more == MORE_NOTHING ? 1 : 0);
		assert_int_equal(values.unusable, more == MORE_NOTHING ? 0 : 1);
		corim_values_done(&values);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(the_product_is_named_as_cocos_names_it),
		cmocka_unit_test(an_snp_report_has_to_be_all_that_an_entry_says),
		cmocka_unit_test(a_quote_has_to_be_all_that_an_entry_says),
		cmocka_unit_test(one_kind_never_describes_the_other),
		cmocka_unit_test(an_entry_does_not_speak_for_another),
		cmocka_unit_test(what_a_policy_says_stays),
		cmocka_unit_test(a_file_that_is_no_good_is_a_refusal),
		cmocka_unit_test(what_is_not_understood_describes_nothing),
		cmocka_unit_test(a_member_more_may_ask_for_more_than_is_compared),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
