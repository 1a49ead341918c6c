/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_files.h — the files of ACPI tables that a host gave a machine's firmware, as a log tells of them,
 * beside those that a policy names.
 *
 * OVMF measures the script that installs the tables (etc/table-loader) and each file that this allocates
 * (etc/acpi/rsdp, etc/acpi/tables, with a TPM etc/tpm/log), in that order, before it changes anything in them:
 * one EV_PLATFORM_CONFIG_FLAGS each, whose data are "ACPI DATA", and which carries neither the file nor its
 * name. So a file is known by its place among these events, and by its digest. All tables of a launch
 * (DSDT, FADT, MADT, …) are one file.
 */
#pragma once

#include "attestation/logs/event.h"

enum {
	EVENT_FILE_NAME_MAX = 56, /* fw_cfg's, with its final zero */
	EVENT_FILES_MAX = 16,
	EVENT_FILES_FAULT_MAX = 192,
};

struct event_file {
	char name[EVENT_FILE_NAME_MAX]; /* for people: letters, digits, "-._/" */
	uint8_t digest[DIGEST_MAX];
};

/* In the order in which firmware measures them. */
struct event_files {
	const struct event_file *files; /* borrowed */
	size_t count;
};

/* Whether register `log_pcr` of the log has events of exactly these files, in their order, by the digests of
 * `bank`. If not, `fault` names each file that is another or missing, as far as there is room. */
bool event_files_account(const struct event_files *files, enum digest_kind bank,
			 const struct event_log *log, uint32_t log_pcr,
			 char fault[EVENT_FILES_FAULT_MAX]);
