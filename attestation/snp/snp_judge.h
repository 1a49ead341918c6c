/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_judge.h — the rows of snp_policy.c's table: each judges one thing about a report and adds one
 * check by the row's name. Private to attestation/snp_policy.c and snp_judge_*.c.
 */
#pragma once

#include "attestation/snp/snp_policy.h"

struct snp_judge_rule;
typedef void snp_judge_fn(const struct snp_judge_rule *rule, const struct snp_policy *policy,
			  const struct snp_evidence *evidence, struct verdict *v);

struct snp_judge_rule {
	enum check_id check;
	snp_judge_fn *judge; /* NULL: the check is made elsewhere */
	uint64_t bit;        /* for rows about one bit */
	bool may_be_silent;  /* where the policy says nothing of it, nobody asks */
};

/* snp_judge_guest.c */
snp_judge_fn snp_judge_version, snp_judge_guest_svn, snp_judge_vmpl, snp_judge_family_id,
	snp_judge_image_id, snp_judge_report_data, snp_judge_measurement, snp_judge_host_data,
	snp_judge_id_key, snp_judge_author_key_en, snp_judge_author_key, snp_judge_report_id,
	snp_judge_report_id_ma;

/* snp_judge_bits.c */
snp_judge_fn snp_judge_allowing, snp_judge_demanding, snp_judge_debug, snp_judge_abi,
	snp_judge_platform_demanded, snp_judge_platform_smt, snp_judge_platform_tio;

/* snp_judge_chip.c */
snp_judge_fn snp_judge_signing_key, snp_judge_csp_id, snp_judge_product, snp_judge_stepping,
	snp_judge_chip_id;

/* snp_judge_tcb.c */
snp_judge_fn snp_judge_provisional_tcb, snp_judge_provisional_firmware, snp_judge_min_tcb,
	snp_judge_launch_tcb, snp_judge_build, snp_judge_api_version, snp_judge_firmware,
	snp_judge_launch_mitigations, snp_judge_current_mitigations;

/* What several of them share. */
/* Adds the check of one bit; `found` is the word that has it. */
void snp_judge_bit(const struct snp_judge_rule *rule, uint64_t found, bool passed,
		   const char *wanted, struct verdict *v);
