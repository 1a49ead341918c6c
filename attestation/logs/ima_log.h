/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ima_log.h — the kernel's integrity log in its binary form (binary_runtime_measurements; kernel
 * documentation, security/IMA-templates and the 'Use in practice' of its entries).
 *
 * Each entry names a file, or other data, that the kernel measured before it was used, and was
 * extended into a PCR, mostly 10. The log is worth what a quoted value of that PCR makes of it: see
 * ima_log_replay(). Templates: ima-ng, ima-sig, ima-buf; another one is refused, since it could not
 * be shown.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

enum {
	IMA_LOG_MAX = 32 << 20,
	IMA_ENTRIES_MAX = 200000,
	IMA_DATA_MAX = 1 << 16, /* of one entry */
	IMA_TEMPLATE_MAX = 15,
	IMA_ALGORITHM_MAX = 15,
	IMA_PATH_MAX = 4096,
	IMA_PCR = 10,
};

/* Spans point into the log. */
struct ima_entry {
	uint32_t pcr;
	bool violation; /* the file was open for writing meanwhile: what was used is not known */
	char template_name[IMA_TEMPLATE_MAX + 1];
	char algorithm[IMA_ALGORITHM_MAX + 1]; /* "sha256" */
	struct span digest;                    /* of the file */
	struct span path;                      /* or "boot_aggregate", a key's name and the like */
	struct span more;                      /* signature or buffer; empty: none */
	struct span data;                      /* what the PCR's value covers */
};

struct ima_log {
	struct ima_entry *entries;
	size_t count;
};

/* Refused: an entry that is cut, a template that is not known, fields that do not fill the entry, a
 * digest of the template that is not its data's. `bytes` have to outlive `log`. */
int ima_log_parse(const void *bytes, size_t len, struct ima_log *log, struct err *e) MUST_CHECK;
void ima_log_done(struct ima_log *log);
#define CLEANUP_IMA_LOG __attribute__((cleanup(ima_log_done)))

/* Extends a zero register of that bank with the entries of PCR `pcr`, in order, until it holds
 * `value`: `*count` entries of the log (of any PCR) are accounted for then. The log may go on behind
 * them, since it grows after a quote was made. DENIED if it never comes to that value. */
int ima_log_replay(const struct ima_log *log, enum digest_kind bank, uint32_t pcr,
		   const uint8_t *value, size_t *count, struct err *e) MUST_CHECK;
