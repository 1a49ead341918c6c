/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h — the simulated hardware: makes signed reports and quotes, and keeps the registers that
 * a TD extends at run time.
 *
 * Failures are what the kernel's drivers return: negative errno.
 */
#pragma once

#include "tests/teesim/faults.h"
#include "tests/teesim/vendor.h"

enum { DEVICE_REPORT_DATA_LEN = 64 };

struct device {
	struct facts facts;
	struct vendor *vendor;   /* NULL: there are only the facts' credentials */
	const char *faults_file; /* NULL: it never misbehaves */
	EVP_PKEY *leaf, *attestation;
	char *pck_chain;
	struct writer table;
	uint8_t *last; /* the report before this one */
	size_t last_len;
};

/* Takes over `facts`, also on failure. */
int device_open(struct device *device, struct facts *facts, struct vendor *vendor,
		const char *faults_file, struct err *e) MUST_CHECK;
void device_done(struct device *device);

/* Malloc'ed. */
struct device_answer {
	uint8_t *report, *table;
	size_t len, table_len;
	bool raced; /* somebody else has written to the entry in the meantime */
};
int device_report(struct device *device, const uint8_t report_data[DEVICE_REPORT_DATA_LEN],
		  unsigned privlevel, struct device_answer *answer) MUST_CHECK;

/* TDG.MR.RTMR.EXTEND: the register becomes SHA-384(register ‖ digest). */
int device_extend(struct device *device, size_t rtmr, const uint8_t digest[SHA384_LEN]) MUST_CHECK;
