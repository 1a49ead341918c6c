/* SPDX-License-Identifier: Apache-2.0 */
/* The whole TDX judgement over quotes of our own making, one thing changed at a time. */
#include "common/base/file.h"
#include "tests/answers.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

static struct tdx_forge forge;
static struct verdict verdict;
static struct tdx_result result;
static uint8_t quote[FORGE_QUOTE_MAX];

static int setup(void **state)
{
	tdx_forge_init(&forge);
	return 0;
}

static int teardown(void **state)
{
	tdx_forge_done(&forge);
	return 0;
}

/* Judges that quote under a policy that wants the good one. */
static int judge(const struct forge_quote *q, const struct tdx_policy *policy, struct err *e)
{
	struct tdx_policy named;
	struct tdx_input in;
	size_t len = tdx_forge_quote(&forge, q, quote);

	tdx_forge_policy(&forge.good.body, &named);
	tdx_forge_input(&forge, quote, len, &forge.good.body, policy ? policy : &named, &in);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	return tdx_answer(&in, &result, &verdict, e);
}

static void assert_refused_at(enum check_id id)
{
	const struct check *c = verdict_find(&verdict, id);

	assert_non_null(c);
	assert_int_equal(c->outcome, CHECK_FAILED);
}

static void a_right_quote_of_each_form_is_verified(void **state)
{
	struct forge_quote q = forge.good;
	struct err e;

	assert_ok(judge(&q, NULL, &e), e);
	assert_int_equal(result.status, TDX_UP_TO_DATE);
	q.body_type = TDX_BODY_10;
	memset(q.body.tee_tcb_svn2, 0, sizeof(q.body.tee_tcb_svn2));
	assert_ok(judge(&q, NULL, &e), e);
	q.version = 4;
	assert_ok(judge(&q, NULL, &e), e);
}

/* Values that break a field's rule where flipping its last byte is none of a fault. */
static void violate(const struct tdx_rule *rule, struct tdx_body *body, struct tdx_policy *policy)
{
	uint8_t *field = (uint8_t *)body + rule->offset;

	if (strcmp(rule->field, "tee_tcb_svn") == 0 || strcmp(rule->field, "tee_tcb_svn2") == 0)
		policy->min_tee_tcb_svn[5] = 1, field[5] = 0;
	else
		field[rule->size - 1] ^= 0x01;
}

/* Each field of the report, by the table: violated alone it is refused with its own name. */
static void every_field_is_judged(void **state)
{
	struct tdx_rule rules[64];
	size_t count = tdx_policy_rules(rules, ARRAY_LEN(rules)), covered = 0;

	assert_in_range(count, 1, ARRAY_LEN(rules));
	for (size_t i = 0; i < count; i++) {
		struct forge_quote q = forge.good;
		struct tdx_policy policy;
		struct tdx_result fake = { .has_quote = true };
		struct tdx_facts facts = { &fake, forge.good.body.reportdata, NULL };
		const struct check *c;

		tdx_forge_policy(&forge.good.body, &policy);
		/* Both SVNs are one floor's: the other one satisfies it. */
		q.body.tee_tcb_svn[5] = q.body.tee_tcb_svn2[5] = 1;
		violate(&rules[i], &q.body, &policy);
		fake.quote.body = q.body;
		fake.quote.body_type = TDX_BODY_15;
		fake.has_status = true;
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		tdx_policy_judge(&policy, &facts, &verdict);
		for (size_t k = 0; k < verdict.count; k++) {
			c = &verdict.checks[k];
			if ((c->outcome == CHECK_FAILED) != (c->id == rules[i].check))
				fail_msg("%s: %s should%s fail", rules[i].field, c->name,
					 c->outcome == CHECK_FAILED ? " not" : "");
		}
		/* The twin. */
		fake.quote.body = forge.good.body;
		fake.quote.body.tee_tcb_svn[5] = fake.quote.body.tee_tcb_svn2[5] = 1;
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		tdx_policy_judge(&policy, &facts, &verdict);
		assert_true(verdict_ok(&verdict));
		covered += rules[i].size;
	}
	assert_int_equal(covered, sizeof(struct tdx_body));
}

static void nothing_named_accepts_nothing(void **state)
{
	struct tdx_policy strict;
	struct err e;

	tdx_policy_init(&strict);
	assert_refused(judge(&forge.good, &strict, &e), e, ERR_DENIED, "policy.mrtd");

	struct forge_quote zero = forge.good;

	/* An all-zero measurement is no wildcard's friend either. */
	memset(zero.body.mrtd, 0, TDX_MR_LEN);
	memset(zero.body.mrconfigid, 0, 3 * TDX_MR_LEN);
	memset(zero.body.rtmr, 0, sizeof(zero.body.rtmr));
	assert_refused(judge(&zero, &strict, &e), e, ERR_DENIED, "policy.mrtd");
}

static void without_policy_or_binding_the_answer_is_no(void **state)
{
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	tdx_forge_input(&forge, quote, len, &forge.good.body, NULL, &in);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.given");
	in.policy = &policy;
	in.report_data = NULL;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.reportdata");
	in.policy = NULL;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.reportdata");
	in.report_data = forge.good.body.reportdata;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_ok(tdx_answer(&in, NULL, &verdict, &e), e);
}

static void our_root_is_nobody_s_unless_named(void **state)
{
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
	in.endorsements.trusted_root = (struct span){ 0 };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "Intel SGX Root CA");
	in.endorsements.trusted_root = (struct span){ (const uint8_t *)"x", 1 };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "chain.trusted_root");
}

/* A document that is missing is a refusal, whichever it is. */
static void every_document_is_needed(void **state)
{
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);
	size_t count = sizeof(struct tdx_collateral) / sizeof(struct span);

	tdx_forge_policy(&forge.good.body, &policy);
	for (size_t i = 0; i < count; i++) {
		tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
		((struct span *)&in.endorsements.collateral)[i] = (struct span){ 0 };
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "not given");
	}
}

static void debug_is_never_taken(void **state)
{
	struct forge_quote q = forge.good;
	struct tdx_policy policy;
	struct err e;

	q.body.tdattributes[0] = 1;
	tdx_forge_policy(&forge.good.body, &policy);
	policy.allow_attributes = UINT64_MAX;
	policy.has_attributes = true;
	memcpy(policy.attributes, q.body.tdattributes, sizeof(policy.attributes));
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "DEBUG");
	q.body.tdattributes[0] = 0x80;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "reserved");
}

static void attributes_are_waived_by_name(void **state)
{
	struct forge_quote q = forge.good;
	struct tdx_policy policy;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	q.body.tdattributes[3] = 0x30; /* MIGRATABLE beside SEPT_VE_DISABLE */
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "policy.tdattributes");
	policy.allow_attributes = TDX_ATTR_MIGRATABLE;
	assert_ok(judge(&q, &policy, &e), e);
	q.body.tdattributes[3] = 0x20;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "SEPT_VE_DISABLE");
	policy.allow_sept_ve = true;
	assert_ok(judge(&q, &policy, &e), e);
}

/* `text` with one piece of it exchanged; malloc'ed. */
static char *with(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *made;
	struct err e;

	assert_non_null(at);
	assert_ok(text_format(&made, &e, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)),
		  e);
	return made;
}

/* Whether it is genuine, under a TCB info with that body. */
static int judge_genuine(const struct forge_quote *q, const char *tcb_info, struct err *e)
{
	CLEANUP(free) char *document = tdx_forge_document(&forge, "tcbInfo", tcb_info);
	struct tdx_input in;
	size_t len = tdx_forge_quote(&forge, q, quote);

	tdx_forge_input(&forge, quote, len, &q->body, NULL, &in);
	in.endorsements.collateral.tcb_info =
		(struct span){ (const uint8_t *)document, strlen(document) };
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	return tdx_answer(&in, &result, &verdict, e);
}

/* A policy asks for some of this again; here is none. */
static void a_module_that_intel_does_not_vouch_for_is_not_genuine(void **state)
{
	static const char mask[] = "\"attributesMask\":\"FFFFFFFFFFFFFFFF\",\"tcbLevels\"";
	static const char open[] = "\"attributesMask\":\"FFFFFFFFFFFFFF00\",\"tcbLevels\"";
	CLEANUP(free) char *opened = with(forge_tcb_info, mask, open);
	struct forge_quote q = forge.good;
	struct err e;

	assert_ok(judge_genuine(&q, forge_tcb_info, &e), e);
	q.body.mrsignerseam[0] = 1;
	assert_refused(judge_genuine(&q, forge_tcb_info, &e), e, ERR_DENIED, "module.mrsignerseam");
	q = forge.good;
	q.body.seamattributes[0] = 1;
	assert_refused(judge_genuine(&q, forge_tcb_info, &e), e, ERR_DENIED,
		       "module.seamattributes");
	/* Nor where the signed identity leaves a bit of the last byte open. */
	q.body.seamattributes[0] = 0;
	assert_ok(judge_genuine(&q, opened, &e), e);
	q.body.seamattributes[7] = 1;
	assert_refused(judge_genuine(&q, opened, &e), e, ERR_DENIED, "module.seamattributes");
	q = forge.good;
	q.body.tee_tcb_svn[0] = 2; /* a level that is revoked */
	assert_refused(judge_genuine(&q, forge_tcb_info, &e), e, ERR_DENIED, "tcb.status");
}

/* One number of the first level at a time is above the platform's: the second is the platform's then. */
static void a_level_asks_all_of_its_numbers(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"svn\":3},{\"svn\":3},{\"svn\":2}", "{\"svn\":4},{\"svn\":3},{\"svn\":2}" },
		{ "{\"svn\":3},{\"svn\":3},{\"svn\":2}", "{\"svn\":3},{\"svn\":3},{\"svn\":3}" },
		{ "{\"svn\":0}],\"pcesvn\":11", "{\"svn\":1}],\"pcesvn\":11" },
		{ "\"pcesvn\":11", "\"pcesvn\":12" },
		{ "{\"svn\":5},{\"svn\":0},{\"svn\":3}", "{\"svn\":5},{\"svn\":0},{\"svn\":4}" },
		{ "{\"svn\":0}]},\"tcbDate\"", "{\"svn\":1}]},\"tcbDate\"" },
	};
	struct err e;

	assert_ok(judge_genuine(&forge.good, forge_tcb_info, &e), e);
	assert_int_equal(result.level_status, TDX_UP_TO_DATE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *body = with(forge_tcb_info, rows[i][0], rows[i][1]);

		assert_ok(judge_genuine(&forge.good, body, &e), e);
		if (result.level_status != TDX_OUT_OF_DATE || result.status != TDX_OUT_OF_DATE)
			fail_msg("%s is asked of nobody", rows[i][1]);
	}
}

/* Launched under an old module, and what runs now is current: to launch again mends it if that is the newest
 * that there is, by its SVN and by its microcode, and only then. */
static void a_relaunch_is_advised_under_the_newest_alone(void **state)
{
	static const char five[] = "{\"tcb\":{\"isvsvn\":5}", sgx[] = "{\"tcb\":{\"sgx";
	static const char six[] = "{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2025-01-01T00:00:00Z\","
				  "\"tcbStatus\":\"UpToDate\"},{\"tcb\":{\"isvsvn\":5}";
	const char *level = strstr(forge_tcb_info, sgx), *end = strstr(level, "},{\"tcb\"");
	CLEANUP(free) char *newer_module = with(forge_tcb_info, five, six);
	CLEANUP(free) char *first = strndup(level, (size_t)(end - level));
	CLEANUP(free)
	char *above = with(first, "{\"svn\":3},{\"svn\":0}", "{\"svn\":4},{\"svn\":0}");
	CLEANUP(free) char *levels = NULL;
	struct forge_quote q = forge.good;
	struct err e;

	q.body.tee_tcb_svn[0] = 3;
	assert_ok(judge_genuine(&q, forge_tcb_info, &e), e);
	assert_int_equal(result.status, TDX_RELAUNCH_ADVISED);
	assert_ok(judge_genuine(&q, newer_module, &e), e);
	assert_int_equal(result.status, TDX_OUT_OF_DATE);
	assert_ok(text_format(&levels, &e, "%s},%s", above, sgx), e);
	CLEANUP(free) char *newer_microcode = with(forge_tcb_info, sgx, levels);
	assert_ok(judge_genuine(&q, newer_microcode, &e), e);
	assert_int_equal(result.status, TDX_OUT_OF_DATE);
}

static void a_revoked_status_is_never_taken(void **state)
{
	struct forge_quote q = forge.good;
	struct tdx_policy policy;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	policy.statuses = UINT32_MAX;
	q.body.tee_tcb_svn[0] = 2; /* a module whose level is revoked */
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "Revoked");
	/* Launched under a good module, running under one that was revoked. */
	q.body.tee_tcb_svn[0] = 5;
	q.body.tee_tcb_svn2[0] = 2;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "Revoked");
	q.body.tee_tcb_svn2[0] = 0;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "TEE_TCB_SVN_2");
	/* Running under one of a version that Intel's document does not have. */
	q.body.tee_tcb_svn2[0] = 5;
	q.body.tee_tcb_svn2[1] = 2;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED,
		       "TEE_TCB_SVN_2: no module identity TDX_02");
}

static void statuses_merge_and_the_policy_decides(void **state)
{
	struct forge_quote q = forge.good;
	struct tdx_policy policy;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	policy.statuses = 1u << TDX_OUT_OF_DATE;
	q.qe.isvsvn = 3;
	q.body.tee_tcb_svn[0] = q.body.tee_tcb_svn2[0] = 3;
	assert_ok(judge(&q, &policy, &e), e);
	assert_int_equal(result.advisory_count, 3);
	assert_string_equal(result.advisories[0], "TEST-SA-00001");
	assert_string_equal(result.advisories[2], "TEST-SA-00003");
	assert_refused(judge(&q, NULL, &e), e, ERR_DENIED, "policy.tcb_status");
	/* The platform is current: launching again is all that is missing. */
	q.qe.isvsvn = 4;
	q.body.tee_tcb_svn2[0] = 5;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "TDRelaunchAdvised");
	policy.statuses = 1u << TDX_RELAUNCH_ADVISED;
	assert_ok(judge(&q, &policy, &e), e);
	/* Launched under a good module, and a worse one runs now: its level is the verdict's. */
	q = forge.good;
	q.body.tee_tcb_svn2[0] = 3;
	policy.statuses = 1u << TDX_UP_TO_DATE;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "policy.tcb_status: found OutOfDate");
	assert_int_equal(result.status, TDX_OUT_OF_DATE);
	assert_int_equal(result.module_status, TDX_OUT_OF_DATE);
	assert_int_equal(result.advisory_count, 2);
	/* By the TDX components of the level, too; and no relaunch mends these. */
	q = forge.good;
	q.body.tee_tcb_svn2[2]--;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "policy.tcb_status: found OutOfDate");
	assert_int_equal(result.level_status, TDX_OUT_OF_DATE);
	q.body.tee_tcb_svn[0] = 3;
	q.body.tee_tcb_svn[2]--;
	assert_refused(judge(&q, &policy, &e), e, ERR_DENIED, "policy.tcb_status: found OutOfDate");
	policy.statuses |= 1u << TDX_OUT_OF_DATE;
	assert_ok(judge(&q, &policy, &e), e);
}

static void the_worse_of_two_statuses_has_the_faults_of_both(void **state)
{
	static const struct {
		enum tdx_status a, b, both;
	} cases[] = {
		{ TDX_SW_HARDENING_NEEDED, TDX_CONFIGURATION_NEEDED,
		  TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED },
		{ TDX_CONFIGURATION_NEEDED, TDX_OUT_OF_DATE, TDX_OUT_OF_DATE_CONFIGURATION_NEEDED },
		{ TDX_SW_HARDENING_NEEDED, TDX_OUT_OF_DATE, TDX_OUT_OF_DATE },
		{ TDX_REVOKED, TDX_UP_TO_DATE, TDX_REVOKED },
		{ TDX_RELAUNCH_ADVISED, TDX_UP_TO_DATE, TDX_REVOKED }, /* of no document */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(tdx_status_worse(cases[i].a, cases[i].b), cases[i].both);
		assert_int_equal(tdx_status_worse(cases[i].b, cases[i].a), cases[i].both);
	}
	for (enum tdx_status a = TDX_UP_TO_DATE; a <= TDX_REVOKED; a++)
		for (enum tdx_status b = TDX_UP_TO_DATE; b <= a; b++)
			assert_in_range(tdx_status_worse(a, b), a, TDX_REVOKED);
}

/* The signed identity masks the debug bit out: it is refused all the same. */
static void a_debug_qe_is_refused_whatever_its_identity_says(void **state)
{
	static const char from[] = "\"attributesMask\":\"FB", to[] = "\"attributesMask\":\"F9";
	char *body = with(forge_qe_identity, from, to);
	char *document = tdx_forge_document(&forge, "enclaveIdentity", body);
	struct forge_quote q = forge.good;
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	for (int debug = 0; debug < 2; debug++) {
		q.qe.attributes[0] = debug ? 0x13 : 0x11;
		size_t len = tdx_forge_quote(&forge, &q, quote);
		tdx_forge_input(&forge, quote, len, &q.body, &policy, &in);
		in.endorsements.collateral.qe_identity =
			(struct span){ (const uint8_t *)document, strlen(document) };
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		if (debug)
			assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED,
				       "identity.attributes: found a debug enclave");
		else
			assert_ok(tdx_answer(&in, NULL, &verdict, &e), e);
	}
	free(document);
	free(body);
}

static void platforms_and_floors_are_asked_for(void **state)
{
	static const uint8_t fmspc[] = { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 1, 2, 3, 4, 5, 6 };
	static const uint8_t instances[32] = { 9 };
	struct tdx_policy policy;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	policy.fmspcs = (struct value_set){ fmspc, 2 };
	policy.instances = (struct value_set){ instances, 2 };
	policy.min_evaluation = 18;
	assert_ok(judge(&forge.good, &policy, &e), e);
	policy.fmspcs = (struct value_set){ fmspc + 6, 1 };
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED, "policy.fmspc");
	policy.fmspcs.count = 0;
	policy.instances.count = 1;
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED, "policy.instance");
	policy.instances.count = 0;
	policy.min_evaluation = 19;
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED, "policy.tcb_evaluation");
	/* Both documents are asked for it: the older of them may be the QE's. */
	assert_refused_at(CHECK_POLICY_QE_EVALUATION);
	policy.min_evaluation = 0;
}

/* The floors are for what Intel and the PCK certificate vouch for. The header's numbers are written by the
 * attestation key itself: an old enclave's would say any. */
static void enclaves_have_floors(void **state)
{
	struct forge_quote boasting = forge.good;
	struct tdx_policy policy;
	struct err e;

	boasting.qe_svn = boasting.pce_svn = UINT16_MAX;
	tdx_forge_policy(&forge.good.body, &policy);
	policy.min_qe_svn = forge.good.qe.isvsvn;
	policy.min_pce_svn = FORGE_PCESVN;
	assert_ok(judge(&forge.good, &policy, &e), e);
	policy.min_qe_svn++;
	assert_refused(judge(&boasting, &policy, &e), e, ERR_DENIED, "policy.qe_svn");
	policy.min_qe_svn = 0;
	policy.min_pce_svn++;
	assert_refused(judge(&boasting, &policy, &e), e, ERR_DENIED, "policy.pce_svn");
}

/* issueDate counts, nextUpdate no longer does; --skew widens both. */
static void collateral_has_its_time(void **state)
{
	static const struct {
		int64_t at;
		uint32_t skew;
		const char *fault;
	} cases[] = {
		{ FORGE_AT + 86400, 0, NULL }, { FORGE_AT + 86401, 0, "crl." },
		{ FORGE_AT + 86401, 1, NULL }, { FORGE_AT - 86401, 0, "crl." },
		{ FORGE_AT - 86401, 1, NULL },
	};
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
		in.endorsements.at = cases[i].at;
		in.endorsements.skew = cases[i].skew;
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		if (cases[i].fault)
			assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED,
				       cases[i].fault);
		else
			assert_ok(tdx_answer(&in, NULL, &verdict, &e), e);
	}
}

/* A change of the signed body, signed again. */
static void a_body_of_other_dates_or_ids_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *fault;
	} changes[] = {
		{ "2026-07-01T", "2026-06-15T", "time.tcb_info" },
		{ "2026-06-01T", "2026-06-16T", "time.tcb_info" },
		{ "\"TDX\"", "\"SGX\"", "collateral.tcb_info" },
		{ "A1B2C3", "A1B2C4", "collateral.fmspc" },
		{ "\"pceId\":\"0000\"", "\"pceId\":\"0001\"", "collateral.pceid" },
		{ "\"tcbType\":0", "\"tcbType\":1", "collateral.tcb_info" },
		{ "TDX_01", "TDX_02", "module.identity" },
		{ "UpToDate", "UpToDat3", "collateral.tcb_info" },
		{ "\"isvsvn\":5", "\"isvsvn\":256", "collateral.tcb_info" },
		{ "\"version\":3", "\"version\":2", "collateral.tcb_info" },
	};
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *at = strstr(forge_tcb_info, changes[i].from);
		char *body;

		assert_non_null(at);
		assert_ok(text_format(&body, &e, "%.*s%s%s", (int)(at - forge_tcb_info),
				      forge_tcb_info, changes[i].to, at + strlen(changes[i].from)),
			  e);

		char *document = tdx_forge_document(&forge, "tcbInfo", body);

		free(body);

		tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
		in.endorsements.collateral.tcb_info =
			(struct span){ (const uint8_t *)document, strlen(document) };
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED,
			       changes[i].fault);
		free(document);
	}
}

/* RTMR1 by its events: they are all named, one is not, there is no log. */
static void events_account_for_a_register(void **state)
{
	struct event_rule rule = { .pcr = 1, .bank = DIGEST_SHA384 }, two[2];
	struct forge_quote q = forge.good;
	struct event_log log = { 0 };
	struct event_replay replay;
	struct tdx_policy policy;
	struct tdx_input in;
	struct writer w;
	struct err e;
	size_t len;

	tpm_forge_cc_log(&w);
	assert_ok(event_log_parse(tpm_forge_span(&w), (struct event_log_form){ .cc = true }, &log,
				  &e),
		  e);
	assert_ok(event_log_replay(&log, DIGEST_SHA384, &replay, &e), e);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		memcpy(q.body.rtmr[i], replay.values[i + 1], TDX_MR_LEN);
	len = tdx_forge_quote(&forge, &q, quote);
	tdx_forge_policy(&q.body, &policy);
	policy.rtmr[1].count = 0;
	memcpy(rule.digest, log.events[1].digests[0], SHA384_LEN);
	policy.events = (struct event_rules){ &rule, 1 };
	tdx_forge_input(&forge, quote, len, &q.body, &policy, &in);
	in.event_log = tpm_forge_span(&w);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(tdx_answer(&in, NULL, &verdict, &e), e);
	/* An event that is named is there, and as often as it is named. */
	two[0] = two[1] = rule;
	policy.events = (struct event_rules){ two, 2 };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "1 times, not 2");
	two[1].digest[47] ^= 1;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "0 times, not 1");
	policy.events = (struct event_rules){ &rule, 1 };
	in.event_log.len = 0;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.rtmr1");
	/* Nor is a register of zeros, that had none of the events, what was asked for. */
	rule.pcr = 3;
	struct forge_quote none = forge.good;

	memset(none.body.rtmr[3], 0, TDX_MR_LEN);
	tdx_forge_policy(&none.body, &policy);
	policy.rtmr[3].count = 0;
	assert_ok(judge(&none, &policy, &e), e);
	policy.events = (struct event_rules){ &rule, 1 };
	assert_refused(judge(&none, &policy, &e), e, ERR_DENIED, "policy.rtmr3");
	rule.pcr = 1;
	len = tdx_forge_quote(&forge, &q, quote);
	tdx_forge_policy(&q.body, &policy);
	policy.events = (struct event_rules){ &rule, 1 };
	/* The value is named as well, and yet the event isn't. */
	in.event_log = tpm_forge_span(&w);
	rule.digest[0] ^= 1;
	policy.rtmr[1] = (struct value_set){ q.body.rtmr[1], 1 };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "event 2");
	/* A log that is none, and one that is another TD's. */
	in.event_log.len = 10;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "log.parse");
	len = tdx_forge_quote(&forge, &forge.good, quote);
	tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
	in.event_log = tpm_forge_span(&w);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "log.rtmr0");
	event_log_done(&log);
	writer_done(&w);
}

/* A TD whose host gave `tables`, with a log that tells so. */
static int judge_with_tables(const char *const tables[3], const struct event_files *wanted,
			     const uint8_t *rtmr0, struct writer *log, struct err *e)
{
	static struct forge_quote q;
	static uint8_t bytes[FORGE_QUOTE_MAX];
	CLEANUP_EVENT_LOG struct event_log read = { 0 };
	struct event_replay replay;
	struct tdx_policy policy;
	struct tdx_input in;
	size_t len;

	q = forge.good;
	tpm_forge_cc_log(log);
	for (size_t i = 0; i < 3; i++)
		tpm_forge_cc_event(log, 1, EVENT_PLATFORM_CONFIG_FLAGS, "ACPI DATA", tables[i],
				   strlen(tables[i]));
	assert_ok(event_log_parse(tpm_forge_span(log), (struct event_log_form){ .cc = true }, &read,
				  e),
		  *e);
	assert_ok(event_log_replay(&read, DIGEST_SHA384, &replay, e), *e);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		memcpy(q.body.rtmr[i], replay.values[i + 1], TDX_MR_LEN);
	len = tdx_forge_quote(&forge, &q, bytes);
	tdx_forge_policy(&q.body, &policy);
	policy.tables = *wanted;
	if (rtmr0)
		policy.rtmr[0] = (struct value_set){ rtmr0, 1 };
	tdx_forge_input(&forge, bytes, len, &q.body, &policy, &in);
	in.event_log = tpm_forge_span(log);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	return tdx_answer(&in, &result, &verdict, e);
}

/* The reason names the table that is another; RTMR0 is judged all the same. */
static void the_hosts_tables_are_judged_by_name(void **state)
{
	static const char *const good[] = { "script", "rsdp", "tables" };
	static const char *const names[] = { "etc/table-loader", "etc/acpi/rsdp",
					     "etc/acpi/tables" };
	static const char *const numbers[] = { "(event 5)", "(event 6)", "(event 7)" };
	struct event_file files[3] = { 0 };
	const struct event_files wanted = { files, 3 };
	uint8_t rtmr0[TDX_MR_LEN];
	struct writer log;
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		snprintf(files[i].name, sizeof(files[i].name), "%s", names[i]);
		assert_ok(digest(DIGEST_SHA384, good[i], strlen(good[i]), files[i].digest, &e), e);
	}
	assert_ok(judge_with_tables(good, &wanted, NULL, &log, &e), e);
	memcpy(rtmr0, result.quote.body.rtmr[0], sizeof(rtmr0));
	writer_done(&log);
	for (size_t i = 0; i < 3; i++) {
		const char *other[] = { good[0], good[1], good[2] };

		other[i] = "another";
		assert_refused(judge_with_tables(other, &wanted, rtmr0, &log, &e), e, ERR_DENIED,
			       "policy.tables");
		assert_non_null(strstr(e.text, names[i]));
		assert_non_null(strstr(e.text, numbers[i]));
		assert_null(strstr(e.text, names[(i + 1) % 3]));
		assert_int_equal(verdict_find(&verdict, CHECK_POLICY_RTMR0)->outcome, CHECK_FAILED);
		writer_done(&log);
		/* It is no word in place of RTMR0's: a policy with no more says no to another RTMR0 too. */
		assert_refused(
			judge_with_tables(other, &(struct event_files){ 0 }, rtmr0, &log, &e), e,
			ERR_DENIED, "policy.rtmr0");
		writer_done(&log);
	}
}

/* The log that tells of the tables that the policy names, beside a quote of others, explains nothing. */
static void a_log_that_lies_about_tables_gets_no_yes(void **state)
{
	static const char *const good[] = { "script", "rsdp", "tables" };
	static const char *const other[] = { "script", "rsdp", "another" };
	struct event_file files[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	const struct event_files wanted = { files, 3 };
	struct writer lie, log;
	uint8_t rtmr0[TDX_MR_LEN];
	struct err e;

	for (size_t i = 0; i < 3; i++)
		assert_ok(digest(DIGEST_SHA384, good[i], strlen(good[i]), files[i].digest, &e), e);
	assert_ok(judge_with_tables(good, &wanted, NULL, &lie, &e), e);
	memcpy(rtmr0, result.quote.body.rtmr[0], sizeof(rtmr0));
	assert_refused(judge_with_tables(other, &wanted, rtmr0, &log, &e), e, ERR_DENIED,
		       "policy.tables");

	struct tdx_policy policy;
	struct tdx_input in;
	struct forge_quote q = forge.good;
	size_t len;

	memcpy(q.body.rtmr, result.quote.body.rtmr, sizeof(q.body.rtmr));
	len = tdx_forge_quote(&forge, &q, quote);
	tdx_forge_policy(&q.body, &policy);
	policy.rtmr[0] = (struct value_set){ rtmr0, 1 };
	policy.tables = wanted;
	tdx_forge_input(&forge, quote, len, &q.body, &policy, &in);
	in.event_log = tpm_forge_span(&lie);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "log.rtmr0");
	assert_null(verdict_find(&verdict, CHECK_POLICY_TABLES));
	/* Nor does no log at all. */
	in.event_log.len = 0;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.rtmr0");
	writer_done(&lie);
	writer_done(&log);
}

/* A policy with several values names the count in its reason. */
static void sets_hold_several_values(void **state)
{
	uint8_t two[2 * TDX_MR_LEN];
	struct tdx_policy policy;
	struct err e;

	tdx_forge_policy(&forge.good.body, &policy);
	memset(two, 1, sizeof(two));
	policy.mrtd = (struct value_set){ two, 2 };
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED, "one of 2 values");
	memcpy(two + TDX_MR_LEN, forge.good.body.mrtd, TDX_MR_LEN);
	assert_ok(judge(&forge.good, &policy, &e), e);
	policy.mrseam = (struct value_set){ NULL, 0 };
	policy.has_attributes = policy.has_xfam = true;
	memcpy(policy.attributes, forge.good.body.tdattributes, 8);
	memcpy(policy.xfam, forge.good.body.xfam, 8);
	assert_ok(judge(&forge.good, &policy, &e), e);
	policy.xfam[0] ^= 4;
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED,
		       "XFAM that the policy names");
	policy.attributes[3] |= 0x40;
	assert_refused(judge(&forge.good, &policy, &e), e, ERR_DENIED,
		       "attributes that the policy");
}

/* Both lists are made a day before FORGE_AT, and each has to be young enough. */
static void lists_may_be_as_old_as_the_policy_says(void **state)
{
	static const struct {
		uint64_t max;
		int64_t root_asked, pck_asked; /* before FORGE_AT */
		bool young;
	} cases[] = {
		{ 86400, 0, 0, true }, { 86399, 0, 0, false }, { 60, 60, 60, true },
		{ 60, 61, 60, false }, { 60, 60, 61, false },  { 60, 60, 0, false },
	};
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
		struct tdx_endorsements *en = &in.endorsements;

		en->crl_max_age = cases[i].max;
		en->root_crl_asked = cases[i].root_asked ? FORGE_AT - cases[i].root_asked : 0;
		en->pck_crl_asked = cases[i].pck_asked ? FORGE_AT - cases[i].pck_asked : 0;
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		if (cases[i].young)
			assert_ok(tdx_answer(&in, NULL, &verdict, &e), e);
		else
			assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED,
				       "crl.age");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_quote_of_each_form_is_verified),
		cmocka_unit_test(every_field_is_judged),
		cmocka_unit_test(nothing_named_accepts_nothing),
		cmocka_unit_test(without_policy_or_binding_the_answer_is_no),
		cmocka_unit_test(our_root_is_nobody_s_unless_named),
		cmocka_unit_test(every_document_is_needed),
		cmocka_unit_test(debug_is_never_taken),
		cmocka_unit_test(attributes_are_waived_by_name),
		cmocka_unit_test(a_module_that_intel_does_not_vouch_for_is_not_genuine),
		cmocka_unit_test(a_level_asks_all_of_its_numbers),
		cmocka_unit_test(a_relaunch_is_advised_under_the_newest_alone),
		cmocka_unit_test(a_revoked_status_is_never_taken),
		cmocka_unit_test(statuses_merge_and_the_policy_decides),
		cmocka_unit_test(the_worse_of_two_statuses_has_the_faults_of_both),
		cmocka_unit_test(a_debug_qe_is_refused_whatever_its_identity_says),
		cmocka_unit_test(platforms_and_floors_are_asked_for),
		cmocka_unit_test(enclaves_have_floors),
		cmocka_unit_test(collateral_has_its_time),
		cmocka_unit_test(lists_may_be_as_old_as_the_policy_says),
		cmocka_unit_test(a_body_of_other_dates_or_ids_is_refused),
		cmocka_unit_test(events_account_for_a_register),
		cmocka_unit_test(the_hosts_tables_are_judged_by_name),
		cmocka_unit_test(a_log_that_lies_about_tables_gets_no_yes),
		cmocka_unit_test(sets_hold_several_values),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
