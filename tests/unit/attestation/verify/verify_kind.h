/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_kind.h — each kind of evidence as the whole verifier's tests want it: made for any binding,
 * right in everything, or with one thing changed.
 */
#pragma once

#include "attestation/verify/evidence_parts.h"
#include "attestation/verify/verify.h"
#include "common/base/writer.h"
#include "tests/unit.h"

/* What another piece of evidence, right by itself, has different from the first. */
enum verify_twist {
	TWIST_NONE,
	TWIST_MEASUREMENT, /* another one that the policy knows as well */
	TWIST_GUEST,       /* another launch */
	TWIST_CHIP,
	TWIST_REGISTERS,
	TWIST_CONFIG,
	TWIST_OWNER,
	TWIST_OWNER_CONFIG,
	TWIST_AK,
	TWIST_BOOT,
};

/* What a run statement's own evidence may not have different, and the check that says so. */
struct verify_same {
	enum verify_twist twist;
	const char *check;
};

struct verify_kind {
	enum evidence_kind mode;
	int64_t at;
	void (*setup)(void), (*teardown)(void);
	void (*policy)(struct policy *p); /* that takes the evidence, and every twist */
	void (*endorse)(struct verify_input *in);
	/* Evidence bound to `b`; `out` is the caller's to free. */
	void (*evidence)(const struct binding *b, enum verify_twist twist, struct writer *out);
	/* From now on the launch fixed that boot configuration; NULL: none, or as policy() wants. */
	void (*fix_boot)(const uint8_t *digest);
	const char *bound;              /* the check that fails where the binding is another */
	const struct verify_same *same; /* ends with a check that is NULL */
	bool agrees;                    /* its tokens' measurement claim is compared */
};

/* In place of verify_kind_vtpm's policy: one that takes it by register 16 alone, which software can reset. */
void verify_kind_vtpm_by_16(struct policy *p);

extern const struct verify_kind verify_kind_snp, verify_kind_tdx, verify_kind_vtpm,
	verify_kind_snp_vtpm;
