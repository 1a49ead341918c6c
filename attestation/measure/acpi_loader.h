/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi_loader.h — the script by which QEMU tells firmware to install its ACPI tables (fw_cfg's
 * etc/table-loader; QEMU: hw/acpi/bios-linker-loader.c).
 *
 * Firmware measures the script as it came, then each file that it allocates, in that order and before
 * addresses are put into it.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	ACPI_LOADER_MAX = 256 << 10, /* bytes of a script */
	ACPI_LOADER_NAME_MAX = 56,   /* with its final zero */
	ACPI_LOADER_FILES_MAX = 8,
};

struct acpi_loader {
	size_t count;
	char files[ACPI_LOADER_FILES_MAX]
		  [ACPI_LOADER_NAME_MAX]; /* each once, letters, digits, "-._/" */
};

/* ERR_INVALID: not whole commands, an unknown one, a name that fw_cfg doesn't have or that is
 * allocated twice, nothing to allocate, or too much. */
int acpi_loader_parse(struct span script, struct acpi_loader *loader, struct err *e) MUST_CHECK;
