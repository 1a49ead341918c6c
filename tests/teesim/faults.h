/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h — how simulated hardware misbehaves on demand: the words of a file, one per line, which
 * is read again for each report. Without the file it does not misbehave.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

enum fault {
	FAULT_BUSY,              /* the report fails with EBUSY */
	FAULT_TIMEOUT,           /* with ETIMEDOUT */
	FAULT_IO,                /* with EIO */
	FAULT_STALE_GENERATION,  /* somebody else writes to the entry between question and answer */
	FAULT_STALE_REPORT,      /* the answer is that of the question before */
	FAULT_WRONG_SIGNATURE,   /* one bit of it */
	FAULT_WRONG_KEY,         /* signed by a key that nobody certified */
	FAULT_WRONG_REPORT_DATA, /* correctly signed, but with other report data */
	FAULT_OTHER_CHIP,        /* another chip, correctly certified */
	FAULT_OTHER_MEASUREMENT,
	FAULT_OTHER_REPORT_ID, /* SNP: as after a reboot */
	FAULT_OTHER_HOST_DATA, /* or MRCONFIGID */
	FAULT_TCB_CHANGE,      /* a lower TCB, correctly certified */
	FAULT_TCB_CLAIM,       /* a higher TCB than the certified one */
	FAULT_DEBUG,
	FAULT_OTHER_VMPL,      /* SNP: one more than was asked for */
	FAULT_NO_CERTIFICATES, /* SNP: the host gives none */
	FAULT_TRUNCATED,       /* half of the report */
	FAULT_TRAILING,        /* one byte more */
	FAULT_COUNT,
};

/* "wrong-signature" */
const char *fault_name(enum fault fault);

struct faults {
	bool on[FAULT_COUNT];
};
/* `path` may be NULL. ERR_INVALID for an unknown word. */
int faults_read(const char *path, struct faults *faults, struct err *e) MUST_CHECK;
