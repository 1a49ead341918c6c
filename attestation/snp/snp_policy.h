/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_policy.h — what an owner wants of an SEV-SNP guest: reference values, floors and flags.
 *
 * Filled by whoever reads policies and manifests; the arrays stay his. snp_policy_init() gives the
 * strict default, to which a policy adds; there is no value that means 'any'. In a set that is
 * empty, no value is acceptable but the one named below.
 */
#pragma once

#include "attestation/snp/snp_product.h"
#include "attestation/verdict/value_set.h"

struct snp_policy {
	/* Sets. Empty means: */
	struct value_set measurements;       /* refused: nothing says which measurement is right */
	struct value_set host_data;          /* only zero: nothing given at launch */
	struct value_set id_key_digests;     /* only zero: no ID block */
	struct value_set author_key_digests; /* only zero: no author key */
	struct value_set family_ids;         /* only zero */
	struct value_set image_ids;          /* only zero */
	struct value_set report_ids;         /* any guest; set it to hold on to one guest */
	struct value_set report_id_mas;      /* only 'none' (all ones), also where guest_policy
					      allows a migration agent */
	struct value_set chip_ids;           /* any chip; on Milan with a note, see below */

	/* Whoever judges the run statement compares HOST_DATA with it: of an empty host_data,
	 * anything but zero is taken here. Default false. */
	bool host_data_of_run;

	/* A published attack forges any report of a Milan chip: refuse Milan without chip_ids, and
	 * under a VLEK, whose holder writes any CHIP_ID. */
	bool require_chip_allow_list;

	uint32_t min_version;   /* of the report's format; default 2 */
	uint32_t min_guest_svn; /* default 0 */
	uint32_t vmpl;          /* exactly this; default 0 */

	/* The most that a guest's POLICY may allow, and what it has to demand. Allowing bits (SMT,
	 * MIGRATE_MA, CXL_ALLOW) may be set in the report only if set here; demanding ones
	 * (SINGLE_SOCKET, MEM_AES_256_XTS, RAPL_DIS, CIPHERTEXT_HIDING, PAGE_SWAP_DISABLE) must be
	 * set in the report if set here; the ABI version at least this. DEBUG is refused whatever
	 * stands here. Default: SNP_POLICY_RESERVED_ONE alone. */
	uint64_t guest_policy;

	/* PLATFORM_INFO in the same way: TIO_EN only if set here, SMT_EN only if guest_policy has
	 * SMT, all other bits demanded. Default: SNP_PLATFORM_ALIAS_CHECK_COMPLETE. */
	uint64_t platform_info;
	uint64_t platform_refused; /* bits that must be clear, SMT_EN and TSME_EN; default 0 */

	bool require_author_key; /* default false */

	bool allow_vlek; /* a key of the cloud provider's in place of the chip's; default false */
	const char *csp_id;       /* the VLEK's cspID, exactly; NULL: any, and a note says which */
	enum snp_product product; /* default SNP_PRODUCT_ANY */
	int stepping;             /* CPUID_STEP, exactly; -1 (default): not asked */

	/* Floors. min_tcb holds for the certificate's SPLs, and for LAUNCH_TCB as well but for the
	 * components that min_launch_tcb has one of their own for: bit i of launch_floors is
	 * snp_tcb_components[i]. Default 0. */
	struct snp_tcb min_tcb, min_launch_tcb;
	uint16_t launch_floors;
	bool allow_provisional; /* CURRENT above COMMITTED; default false */

	/* Of the current firmware. Default 0. */
	uint8_t min_build;                    /* the build number by itself */
	uint8_t min_api_major, min_api_minor; /* the API version by itself */
	uint8_t min_firmware[3];              /* major, minor, build, in this order of weight */

	/* Bits that must be set; a report before version 5 has none. Default 0. */
	uint64_t launch_mit_vector, current_mit_vector;
};

void snp_policy_init(struct snp_policy *policy);

/* What is judged together with the report. */
struct snp_evidence {
	const struct snp_report *report;
	enum snp_product product;   /* of the verified chain */
	enum snp_signing_key key;   /* of the verified certificate */
	struct snp_tcb tcb;         /* the certificate's SPLs */
	const char *csp_id;         /* the VLEK's, or NULL */
	const uint8_t *report_data; /* what the relying party expects, SNP_REPORT_DATA_LEN bytes */
};

/* Requires a check for each row of the table but those that are not asked where the policy says
 * nothing of them, and "policy.applied", whether they are reached or not. */
void snp_policy_require(struct verdict *v);
/* Only "policy.report_data". */
void snp_policy_require_report_data(struct verdict *v);

/* Adds one check for each row of the table, "policy.…", in the order of the report's fields, and at
 * the end "policy.applied", which passes if every row was gone through. */
void snp_policy_judge(const struct snp_policy *policy, const struct snp_evidence *evidence,
		      struct verdict *v);

/* Only "policy.report_data", for a verdict that asks for no policy. */
void snp_policy_judge_report_data(const struct snp_evidence *evidence, struct verdict *v);

/* The table itself: which check judges which member of struct snp_report. A member may have
 * several rows. Rows whose check is not "policy.…" are judged before (parse, signature, binding,
 * tcb). Returns how many there are, and fills up to `room`. */
struct snp_rule {
	const char *field;
	enum check_id check;
};
size_t snp_policy_rules(struct snp_rule *rules, size_t room);
