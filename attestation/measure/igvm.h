/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm.h — reads an IGVM file (Independent Guest Virtual Machine, format versions 1 and 2): which
 * platforms it is for, and what its directives load.
 *
 * igvm_open() validates the whole file; igvm_each() then walks the directives in file order. A
 * header that we don't know is refused, also one that a loader may pass over: whether it counts in
 * a measurement nobody can say.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <stdbool.h>

enum {
	IGVM_FILE_MAX = 512 << 20,
	IGVM_PLATFORMS_MAX = 6,
	IGVM_AREAS_MAX = 256,
	IGVM_VMSA_LEN = 0x670, /* of the page; the rest has to be zero */
};

enum igvm_platform {
	IGVM_NATIVE = 0,
	IGVM_VSM = 1,
	IGVM_SEV_SNP = 2,
	IGVM_TDX = 3,
	IGVM_SEV = 4,
	IGVM_SEV_ES = 5,
};

enum igvm_kind {
	IGVM_OTHER, /* nothing that is loaded: parameter uses, required memory, … */
	IGVM_PAGE,
	IGVM_PARAMETERS, /* an area of parameters put into the guest */
	IGVM_VMSA,
	IGVM_ID_BLOCK,
};

enum igvm_data_type { IGVM_NORMAL = 0, IGVM_SECRETS = 1, IGVM_CPUID = 2, IGVM_CPUID_XF = 3 };

struct igvm_directive {
	enum igvm_kind kind;
	uint32_t mask; /* the platforms that it is for */
	uint64_t gpa;
	struct span data; /* of a page or VMSA: 4096 bytes, or none */
	enum igvm_data_type data_type;
	bool two_mib, unmeasured;     /* of a page */
	uint64_t area_len;            /* of parameters */
	const uint8_t *launch_digest; /* of an ID block: SNP_DIGEST_LEN bytes */
};

struct igvm {
	struct span file;
	struct span headers; /* the variable ones */
	size_t data_at;      /* where file data begin */
	struct {
		enum igvm_platform type;
		uint32_t mask;
	} platforms[IGVM_PLATFORMS_MAX];
	size_t platform_count;
};

/* The file is not copied. */
int igvm_open(struct span file, struct igvm *out, struct err *e) MUST_CHECK;

/* The bit of that platform, 0 if the file is not for it. */
uint32_t igvm_mask(const struct igvm *igvm, enum igvm_platform platform);

/* "sev-snp", "sev-es", "sev"; false if there is no such. */
bool igvm_platform_of(const char *name, enum igvm_platform *platform);

/* Each directive in order, until `visit` fails. */
typedef int igvm_visit_fn(void *data, const struct igvm_directive *directive, struct err *e);
int igvm_each(const struct igvm *igvm, igvm_visit_fn *visit, void *data, struct err *e) MUST_CHECK;
