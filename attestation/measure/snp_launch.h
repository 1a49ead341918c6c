/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_launch.h — the launch digest of SEV-SNP, page by page (56860, 8.17.2, table 67: PAGE_INFO).
 *
 * Each step is SHA-384 over the digest so far, the digest of the page's contents (zeros for types
 * whose contents do not count), the page's type and its address.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"

enum { SNP_PAGE_LEN = 4096 };

enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

const char *snp_page_type_name(enum snp_page_type type);

/* One step, for --trace. */
struct snp_step {
	size_t number;
	enum snp_page_type type;
	uint64_t gpa;
	const uint8_t *contents,
		*digest; /* SNP_DIGEST_LEN each; digest is the one after the step */
};

struct snp_launch {
	uint8_t digest[SNP_DIGEST_LEN]; /* so far; all zero at the start, or given */
	size_t steps;
	void (*trace)(void *data, const struct snp_step *step); /* may be NULL */
	void *trace_data;
	struct digest_stream *stream; /* SHA-384 of every step, made by the first */
};

void snp_launch_done(struct snp_launch *launch);
#define CLEANUP_SNP_LAUNCH __attribute__((cleanup(snp_launch_done)))

/* A VMSA's address: all bits above 51 cleared from −1, page-aligned. */
#define SNP_VMSA_GPA UINT64_C(0xfffffffff000)

/* One page. `page` has SNP_PAGE_LEN bytes for normal pages and VMSAs and is not looked at for
 * others. */
int snp_launch_page(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
		    const uint8_t *page, struct err *e) MUST_CHECK;

/* The same with the digest of the page's contents known (many VMSAs are alike). */
int snp_launch_contents(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
			const uint8_t contents[SNP_DIGEST_LEN], struct err *e) MUST_CHECK;

/* A run of pages; `len` has to be a multiple of SNP_PAGE_LEN. `bytes` as above. */
int snp_launch_range(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
		     const uint8_t *bytes, uint64_t len, struct err *e) MUST_CHECK;
