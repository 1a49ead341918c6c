/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h — where evidence comes from: one row for each way to ask a TEE's hardware.
 *
 * Device code, blocking, for the one process that holds the devices; a library of its own, so that
 * programs that only judge evidence link none of it. Nothing here says what may stand in the report
 * data: that is the keeper's (attestation/binding.h). The TPM is provider_tpm.h.
 */
#pragma once

#include "attestation/envelope/evidence_kind.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROVIDER_REPORT_DATA_LEN = 64,
	PROVIDER_TABLE_MAX = 64 << 10,
	PROVIDER_LAUNCH_MAX = 48,
	PROVIDER_ATTEMPTS_MAX = 8,
	PROVIDER_DEADLINE_MS = 15000, /* for all attempts together */
};

/* Where the kernel has its interfaces; all texts are the caller's. */
struct provider_paths {
	const char *tsm;          /* configfs: …/tsm/report */
	const char *sev_guest;    /* the device */
	const char *measurements; /* the guest device's registers, see provider_rtmr.h */
};
extern const struct provider_paths provider_kernel_paths;

struct provider_options {
	struct provider_paths paths;
	unsigned int vmpl; /* SEV-SNP; 0 means the lowest that the guest may name */
};

/* Malloc'ed; provider_report_done(). */
struct provider_report {
	uint8_t *report; /* of SNP 1184 bytes, of TDX a quote */
	size_t len;
	uint8_t *table; /* the host's certificates (SNP), without padding; NULL: none */
	size_t table_len;
};
void provider_report_done(struct provider_report *report);
#define CLEANUP_PROVIDER_REPORT __attribute__((cleanup(provider_report_done)))

/* What a launch fixed of the host's configuration: HOST_DATA (32 bytes), MRCONFIGID (48). */
struct provider_launch {
	uint8_t bytes[PROVIDER_LAUNCH_MAX];
	size_t len;
};

struct provider {
	const char *name; /* "SEV-SNP by configfs-tsm" */
	enum evidence_kind platform;

	/* 0 when it is there; -ERR_NOT_FOUND when not; another error when it is there and broken. */
	int (*probe)(const struct provider_options *options, struct err *e);

	/* A fresh report over exactly these bytes: it has been compared. ERR_UNAVAILABLE when the
	 * device stays busy, ERR_DATA_LOSS when it answers something else than was asked. */
	int (*collect)(const struct provider_options *options,
		       const uint8_t report_data[PROVIDER_REPORT_DATA_LEN],
		       struct provider_report *out, struct err *e);

	/* What the launch fixed, from where the host can't write: an SNP report comes to the guest
	 * sealed by the firmware, but a TDX quote is what the host hands over, and nobody here
	 * checks its signatures; so TDX is asked by the guest device's registers. A report that is
	 * made for this is over `report_data`, and goes nowhere. A `len` of 0: this kernel can't
	 * tell. */
	int (*launch)(const struct provider_options *options,
		      const uint8_t report_data[PROVIDER_REPORT_DATA_LEN],
		      struct provider_launch *launch, struct err *e);
};

/* In the order in which they are tried. */
extern const struct provider provider_snp_tsm, provider_snp_device, provider_tdx_tsm;
extern const struct provider *const provider_rows[];
extern const size_t provider_count;

/* The first row that is there, or NULL with ERR_NOT_FOUND. One that is there and broken ends the
 * search with its error: a machine never counts as a lesser one because its TEE misbehaves. */
int provider_find(const struct provider_options *options, const struct provider **found,
		  struct err *e) MUST_CHECK;
