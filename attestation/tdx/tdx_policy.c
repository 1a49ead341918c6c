/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_policy.h"

#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

enum { NO_SET = -1, HEX_MAX = 2 * TDX_REPORT_DATA_LEN + 1, CC_RTMR0 = 1 };

struct row;

struct judge {
	const struct tdx_policy *policy;
	const struct tdx_facts *facts;
	struct verdict *v;
};

typedef bool judge_fn(const struct judge *j, const struct row *row, const uint8_t *found);

struct row {
	struct tdx_rule rule;
	long set; /* where the policy's set is, or NO_SET */
	judge_fn *judge;
};

void tdx_policy_init(struct tdx_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->statuses = 1u << TDX_UP_TO_DATE;
}

static uint64_t le64(const uint8_t bytes[8])
{
	struct reader r = reader_over(bytes, 8);

	return reader_le64(&r);
}

static const struct value_set *set_of(const struct judge *j, const struct row *row)
{
	return (const struct value_set *)((const char *)j->policy + row->set);
}

static bool report(const struct judge *j, const struct row *row, const uint8_t *found, bool passed,
		   const char *wanted)
{
	char hex[HEX_MAX];

	hex_encode(found, row->rule.size, hex);
	return verdict_check(j->v, row->rule.check, passed, hex, wanted);
}

static bool judge_zero(const struct judge *j, const struct row *row, const uint8_t *found)
{
	return report(j, row, found, bytes_are(found, row->rule.size, 0), "zero");
}

static bool judge_set_or_zero(const struct judge *j, const struct row *row, const uint8_t *found)
{
	return value_set_judge_or_zero(set_of(j, row), found, row->rule.size,
				       "zero, since the policy names no value", row->rule.check,
				       j->v);
}

/* What the run statement is judged by as well, if the policy says so. */
static bool judge_of_run(const struct judge *j, const struct row *row, const uint8_t *found)
{
	if (!j->policy->of_run || set_of(j, row)->count)
		return judge_set_or_zero(j, row, found);
	return report(j, row, found, !bytes_are(found, row->rule.size, 0),
		      "what the run statement's evidence has");
}

static bool judge_set(const struct judge *j, const struct row *row, const uint8_t *found)
{
	return value_set_judge(set_of(j, row), found, row->rule.size,
			       "a value that the policy names, and it names none", row->rule.check,
			       j->v);
}

/* The module itself is judged by its signer and its level (module.*, tcb.*). */
static bool judge_mrseam(const struct judge *j, const struct row *row, const uint8_t *found)
{
	if (set_of(j, row)->count > 0)
		return judge_set(j, row, found);
	return report(j, row, found, true, "any module that Intel's TCB info vouches for");
}

static bool judge_svn(const struct judge *j, const struct row *row, const uint8_t *found)
{
	const uint8_t *floor = j->policy->min_tee_tcb_svn;
	char wanted[VERDICT_TEXT_MAX];
	bool passed = true;

	if (row->rule.offset == offsetof(struct tdx_body, tee_tcb_svn2) &&
	    j->facts->result->quote.body_type != TDX_BODY_15)
		return report(j, row, found, bytes_are(found, row->rule.size, 0),
			      "nothing: a report of TD 1.0");
	for (size_t i = 0; i < TDX_SVN_LEN; i++)
		passed &= found[i] >= floor[i];
	memcpy(wanted, "at least ", sizeof("at least "));
	hex_encode(floor, TDX_SVN_LEN, wanted + strlen(wanted));
	return report(j, row, found, passed, wanted);
}

/* What is wrong with TDATTRIBUTES, or NULL. */
static const char *attributes_fault(const struct tdx_policy *p, uint64_t found)
{
	const uint64_t waivable =
		TDX_ATTR_ICSSD | TDX_ATTR_LASS | TDX_ATTR_MIGRATABLE | TDX_ATTR_KL | TDX_ATTR_TPA;
	const uint64_t harmless = TDX_ATTR_SEPT_VE_DISABLE | TDX_ATTR_PKS | TDX_ATTR_PERFMON;

	if (found & TDX_ATTR_DEBUG)
		return "DEBUG (bit 0) clear";
	if (found & ~(waivable | harmless))
		return "reserved bits zero";
	if (found & waivable & ~p->allow_attributes)
		return "no bit beside 28, 30 and 63 that the policy doesn't allow";
	if (!(found & TDX_ATTR_SEPT_VE_DISABLE) && !p->allow_sept_ve)
		return "SEPT_VE_DISABLE (bit 28) set";
	if (p->has_attributes && found != le64(p->attributes))
		return "exactly the attributes that the policy names";
	return NULL;
}

static bool judge_attributes(const struct judge *j, const struct row *row, const uint8_t *found)
{
	const char *fault = attributes_fault(j->policy, le64(found));

	return report(j, row, found, !fault, fault);
}

static bool judge_xfam(const struct judge *j, const struct row *row, const uint8_t *found)
{
	uint64_t xfam = le64(found);
	const char *fault = NULL;

	if ((xfam & TDX_XFAM_FIXED1) != TDX_XFAM_FIXED1)
		fault = "bits 0 and 1 set";
	else if (xfam & ~TDX_XFAM_FIXED0)
		fault = "no bit outside of 0x6dbe7";
	else if (j->policy->has_xfam && xfam != le64(j->policy->xfam))
		fault = "exactly the XFAM that the policy names";
	return report(j, row, found, !fault, fault);
}

static bool judge_rtmr(const struct judge *j, const struct row *row, const uint8_t *found)
{
	uint32_t rtmr =
		(uint32_t)((row->rule.offset - offsetof(struct tdx_body, rtmr)) / TDX_MR_LEN);
	char fault[EVENT_FAULT_MAX];

	/* Without a log the value itself has to be named; zero, in RTMR3, shows none of the events. */
	if (!j->facts->log && set_of(j, row)->count == 0 &&
	    event_rules_cover(&j->policy->events, rtmr, DIGEST_SHA384))
		return report(j, row, found, false, "a log with the events that the policy names");
	if (j->facts->log && event_rules_cover(&j->policy->events, rtmr, DIGEST_SHA384)) {
		if (!event_rules_account(&j->policy->events, rtmr, DIGEST_SHA384, j->facts->log,
					 rtmr + CC_RTMR0, fault))
			return verdict_check(j->v, row->rule.check, false, fault,
					     "the events that the policy names, and no others");
		if (set_of(j, row)->count == 0)
			return report(j, row, found, true, "the events that the policy names");
	}
	return rtmr == 3 ? judge_of_run(j, row, found) : judge_set(j, row, found);
}

static bool judge_report_data(const struct judge *j, const struct row *row, const uint8_t *found)
{
	if (!j->facts->report_data)
		return report(j, row, found, false,
			      "the REPORTDATA that you expect (--report_data)");
	return verdict_bytes(j->v, row->rule.check, found, j->facts->report_data, row->rule.size);
}

/*
 * The fields of the TD report and how each is judged. The sum of their sizes is compared with the
 * struct below, so that a field without a row doesn't compile.
 */
#define SET(member) offsetof(struct tdx_policy, member)
#define FIELDS(X)                                                                           \
	X(tee_tcb_svn, CHECK_POLICY_TEE_TCB_SVN, judge_svn, NO_SET)                         \
	X(mrseam, CHECK_POLICY_MRSEAM, judge_mrseam, SET(mrseam))                           \
	X(mrsignerseam, CHECK_POLICY_MRSIGNERSEAM, judge_zero, NO_SET)                      \
	X(seamattributes, CHECK_POLICY_SEAMATTRIBUTES, judge_zero, NO_SET)                  \
	X(tdattributes, CHECK_POLICY_TDATTRIBUTES, judge_attributes, NO_SET)                \
	X(xfam, CHECK_POLICY_XFAM, judge_xfam, NO_SET)                                      \
	X(mrtd, CHECK_POLICY_MRTD, judge_set, SET(mrtd))                                    \
	X(mrconfigid, CHECK_POLICY_MRCONFIGID, judge_of_run, SET(mrconfigid))               \
	X(mrowner, CHECK_POLICY_MROWNER, judge_set_or_zero, SET(mrowner))                   \
	X(mrownerconfig, CHECK_POLICY_MROWNERCONFIG, judge_set_or_zero, SET(mrownerconfig)) \
	X(rtmr[0], CHECK_POLICY_RTMR0, judge_rtmr, SET(rtmr[0]))                            \
	X(rtmr[1], CHECK_POLICY_RTMR1, judge_rtmr, SET(rtmr[1]))                            \
	X(rtmr[2], CHECK_POLICY_RTMR2, judge_rtmr, SET(rtmr[2]))                            \
	X(rtmr[3], CHECK_POLICY_RTMR3, judge_rtmr, SET(rtmr[3]))                            \
	X(reportdata, CHECK_POLICY_REPORTDATA, judge_report_data, NO_SET)                   \
	X(tee_tcb_svn2, CHECK_POLICY_TEE_TCB_SVN2, judge_svn, NO_SET)                       \
	X(mrservicetd, CHECK_POLICY_MRSERVICETD, judge_set_or_zero, SET(mrservicetd))

#define ROW(member, check, judge, set)                         \
	{ { #member, check, offsetof(struct tdx_body, member), \
	    sizeof(((struct tdx_body *)0)->member) },          \
	  set,                                                 \
	  judge },
static const struct row rows[] = { FIELDS(ROW) };

#define SIZE(member, check, judge, set) +sizeof(((struct tdx_body *)0)->member)
_Static_assert(0 FIELDS(SIZE) == sizeof(struct tdx_body),
	       "every field of the TD report needs a row in FIELDS");

static const uint8_t *field_of(const struct tdx_facts *facts, const struct row *row)
{
	return (const uint8_t *)&facts->result->quote.body + row->rule.offset;
}

void tdx_policy_judge_binding(const struct tdx_facts *facts, struct verdict *v)
{
	struct judge j = { .facts = facts, .v = v };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].judge == judge_report_data) {
			verdict_require(v, rows[i].rule.check);
			rows[i].judge(&j, &rows[i], field_of(facts, &rows[i]));
		}
}

static void judge_status(const struct judge *j)
{
	enum tdx_status status = j->facts->result->status;
	char wanted[VERDICT_TEXT_MAX] = "";

	for (unsigned s = 0; s < TDX_STATUS_COUNT; s++)
		if (s != TDX_REVOKED && (j->policy->statuses & (1u << s))) {
			size_t len = strlen(wanted);

			snprintf(wanted + len, sizeof(wanted) - len, "%s%s", len ? " or " : "",
				 tdx_status_name(s));
		}
	verdict_check(j->v, CHECK_POLICY_TCB_STATUS,
		      j->facts->result->has_status && status != TDX_REVOKED &&
			      (j->policy->statuses & (1u << status)),
		      tdx_status_name(status), *wanted ? wanted : "a status that the policy names");
}

/* A platform by one of its numbers, if the policy lists any. */
static void judge_platform(const struct judge *j, enum check_id check, const struct value_set *set,
			   const uint8_t *found, size_t len)
{
	char hex[HEX_MAX] = "none", wanted[VERDICT_TEXT_MAX];

	if (found)
		hex_encode(found, len, hex);
	value_set_text(set, len, NULL, wanted);
	verdict_check(j->v, check, set->count == 0 || (found && value_set_has(set, found, len)),
		      hex, wanted);
}

static void judge_rest(const struct judge *j)
{
	const struct tdx_policy *p = j->policy;
	const struct tdx_result *r = j->facts->result;

	judge_status(j);
	verdict_at_least(j->v, CHECK_POLICY_TCB_EVALUATION, r->tcb_evaluation, p->min_evaluation);
	verdict_at_least(j->v, CHECK_POLICY_QE_EVALUATION, r->qe_evaluation, p->min_evaluation);
	/* The header's numbers are the attestation key's own word, and zero in quotes of today. */
	verdict_at_least(j->v, CHECK_POLICY_QE_SVN, r->quote.qe_report.isvsvn, p->min_qe_svn);
	verdict_at_least(j->v, CHECK_POLICY_PCE_SVN, r->pck.pcesvn, p->min_pce_svn);
	judge_platform(j, CHECK_POLICY_FMSPC, &p->fmspcs, r->pck.fmspc, TDX_FMSPC_LEN);
	judge_platform(j, CHECK_POLICY_INSTANCE, &p->instances,
		       r->pck.has_instance ? r->pck.instance : NULL, sizeof(r->pck.instance));
}

static const enum check_id rest_checks[] = {
	CHECK_POLICY_TCB_STATUS, CHECK_POLICY_TCB_EVALUATION, CHECK_POLICY_QE_EVALUATION,
	CHECK_POLICY_QE_SVN,     CHECK_POLICY_PCE_SVN,        CHECK_POLICY_FMSPC,
	CHECK_POLICY_INSTANCE,
};

/* More than RTMR0's value says, which is judged as well: this one names the file. */
static void judge_tables(const struct judge *j)
{
	const struct event_files *tables = &j->policy->tables;
	char fault[EVENT_FILES_FAULT_MAX];
	bool same;

	if (!tables->count || !j->facts->log)
		return;
	verdict_require(j->v, CHECK_POLICY_TABLES);
	same = event_files_account(tables, DIGEST_SHA384, j->facts->log, CC_RTMR0, fault);
	verdict_check(j->v, CHECK_POLICY_TABLES, same, same ? "as the policy names them" : fault,
		      "the files of ACPI tables that the policy names");
}

void tdx_policy_judge(const struct tdx_policy *policy, const struct tdx_facts *facts,
		      struct verdict *v)
{
	struct judge j = { policy, facts, v };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].rule.check == CHECK_POLICY_RTMR0)
			judge_tables(&j);
		verdict_require(v, rows[i].rule.check);
		rows[i].judge(&j, &rows[i], field_of(facts, &rows[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(rest_checks); i++)
		verdict_require(v, rest_checks[i]);
	judge_rest(&j);
}

size_t tdx_policy_rules(struct tdx_rule *rules, size_t room)
{
	for (size_t i = 0; i < ARRAY_LEN(rows) && i < room; i++)
		rules[i] = rows[i].rule;
	return ARRAY_LEN(rows);
}
