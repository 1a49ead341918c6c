/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_tables.h — what one version of QEMU gives the firmware of one launch through fw_cfg: a
 * folder with
 *
 *   qemu              one line: the version that made them
 *   bootorder         of devices
 *   etc/table-loader  how ACPI tables are installed, and the files that it names (etc/acpi/tables, …)
 */
#pragma once

#include "attestation/measure/acpi_loader.h"
#include "common/crypto/digest.h"

enum {
	LAUNCH_TABLE_MAX = 4 << 20, /* bytes of each file */
	LAUNCH_TABLES_MAX = 1 + ACPI_LOADER_FILES_MAX,
	LAUNCH_QEMU_MAX = 128,
};

struct launch_table {
	char name[ACPI_LOADER_NAME_MAX];
	uint8_t digest[SHA384_LEN];
};

struct launch_tables {
	char qemu[LAUNCH_QEMU_MAX]; /* printable */
	uint8_t boot_order[SHA384_LEN];
	size_t count;
	struct launch_table tables[LAUNCH_TABLES_MAX]; /* as firmware measures them */
};

/* Blocking. */
int launch_tables_read(const char *folder, struct launch_tables *tables, struct err *e) MUST_CHECK;
