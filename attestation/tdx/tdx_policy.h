/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_policy.h — what an owner wants of a TD: reference values, floors and what may be waived.
 *
 * Filled by whoever reads policies and manifests; the arrays stay his. tdx_policy_init() gives the
 * strict default, to which a policy adds; there is no value that means 'any'. In a set that is
 * empty, no value is acceptable but the one named below.
 */
#pragma once

#include "attestation/logs/event_files.h"
#include "attestation/logs/event_log.h"
#include "attestation/logs/event_rules.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/tdx/tdx_status.h"
#include "attestation/tdx/tdx_verify.h"
#include "attestation/verdict/value_set.h"

struct tdx_policy {
	/* Sets. Empty means: */
	struct value_set mrtd;   /* refused: nothing says which firmware is right */
	struct value_set mrseam; /* whatever module Intel's TCB info vouches for */
	struct value_set mrconfigid, mrowner, mrownerconfig; /* only zero */
	struct value_set mrservicetd;                        /* only zero: no service TD */
	/* Whoever judges the run statement sees to MRCONFIGID and RTMR3: of empty sets, anything but
	 * zero is taken here. Default false. */
	bool of_run;
	/* RTMR 0 to 2: refused; RTMR3: only zero. A log whose every event in that register is in
	 * `events` accounts for it as well. */
	struct value_set rtmr[TDX_RTMR_COUNT];
	struct value_set fmspcs;    /* any platform type; 6 bytes each */
	struct value_set instances; /* any platform; Platform Instance IDs (PIID), 16 bytes each */

	/* Bits of TDATTRIBUTES that may be set beside SEPT_VE_DISABLE, PKS and PERFMON. Never DEBUG,
	 * whatever stands here, nor bits that no published module defines. */
	uint64_t allow_attributes;
	bool allow_sept_ve;            /* SEPT_VE_DISABLE may be clear (TDs behind a paravisor) */
	bool has_attributes, has_xfam; /* exactly these, beside the rules */
	uint8_t attributes[8], xfam[8];

	uint32_t statuses;       /* set of 1 << enum tdx_status; default UpToDate; never Revoked */
	uint64_t min_evaluation; /* tcbEvaluationDataNumber of both documents; default 0 */
	uint8_t min_tee_tcb_svn[TDX_SVN_LEN]; /* byte by byte, of TEE_TCB_SVN and TEE_TCB_SVN_2 */
	uint16_t min_qe_svn,
		min_pce_svn; /* ISVSVN of the QE's report, PCESVN of the PCK certificate */

	struct event_rules events;

	/* Of RTMR0: which files of ACPI tables the host gives, digests of SHA-384. They say which one
	 * differs, where there is a log; RTMR0 is judged by its value, or by `events`, all the same. */
	struct event_files tables;
};

void tdx_policy_init(struct tdx_policy *policy);

/* What is judged together: a verified quote, what its REPORTDATA has to be (64 bytes; NULL is a
 * refusal), and the log that was replayed, or NULL. */
struct tdx_facts {
	const struct tdx_result *result;
	const uint8_t *report_data;
	const struct event_log *log;
};

/* Adds one check, "policy.…", for each row of the table, in the order of the report's fields, then
 * those about platform and TCB; requires them. Before RTMR0 that of the host's tables, where the policy
 * names them and there is a log. */
void tdx_policy_judge(const struct tdx_policy *policy, const struct tdx_facts *facts,
		      struct verdict *v);

/* REPORTDATA alone, for verdicts that say nothing about the rest. */
void tdx_policy_judge_binding(const struct tdx_facts *facts, struct verdict *v);

/* The table itself: the check's name, and the member of struct tdx_body that it judges. Returns the
 * count of rows, of which up to `room` are written. */
struct tdx_rule {
	const char *field;
	enum check_id check;
	size_t offset, size; /* of the member */
};
size_t tdx_policy_rules(struct tdx_rule *rules, size_t room);

/* Bits of TDATTRIBUTES (Intel TDX Module ABI specification, ATTRIBUTES). */
#define TDX_ATTR_DEBUG           (UINT64_C(1) << 0)
#define TDX_ATTR_ICSSD           (UINT64_C(1) << 16)
#define TDX_ATTR_LASS            (UINT64_C(1) << 27)
#define TDX_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define TDX_ATTR_MIGRATABLE      (UINT64_C(1) << 29)
#define TDX_ATTR_PKS             (UINT64_C(1) << 30)
#define TDX_ATTR_KL              (UINT64_C(1) << 31)
#define TDX_ATTR_TPA             (UINT64_C(1) << 62)
#define TDX_ATTR_PERFMON         (UINT64_C(1) << 63)

/* XFAM (Intel TDX Module base architecture specification): bits that have to be one, and those
 * that may be. */
#define TDX_XFAM_FIXED1 UINT64_C(0x3)
#define TDX_XFAM_FIXED0 UINT64_C(0x6DBE7)
