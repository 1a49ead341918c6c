/* SPDX-License-Identifier: Apache-2.0 */
/* What RTMR0 is computed from; the first byte says what the rest is: a configuration volume, a script
 * that installs tables, sections of memory (its size, then type, distance and length of each), or all of
 * a firmware. */
#include "attestation/measure/acpi_loader.h"
#include "attestation/measure/cfv.h"
#include "attestation/measure/rtmr0.h"
#include "attestation/measure/td_hob.h"

#include <string.h>

static void take_volume(struct span bytes)
{
	const struct tdvf t = { .count = 1, .sections = { { .type = TDVF_CFV, .data = bytes } } };
	struct span cfv;
	struct err e;

	if (cfv_check_empty(&t, &cfv, &e) == 0 &&
	    (cfv.bytes != bytes.bytes || cfv.len != bytes.len || cfv.len > CFV_MAX))
		__builtin_trap();
}

/* Its names can be appended to a folder's. */
static void take_script(struct span bytes)
{
	struct acpi_loader loader;
	struct err e;

	if (acpi_loader_parse(bytes, &loader, &e) < 0)
		return;
	for (size_t i = 0; i < loader.count; i++)
		if (!loader.files[i][0] || loader.files[i][0] == '/' ||
		    !memchr(loader.files[i], 0, ACPI_LOADER_NAME_MAX) ||
		    strstr(loader.files[i], ".."))
			__builtin_trap();
}

static void take_sections(struct span bytes)
{
	static const struct launch_tables tables = { .count = LAUNCH_TABLES_MAX };
	uint8_t values[RTMR0_VALUES][SHA384_LEN];
	struct rtmr0_parts parts = { .tables = &tables };
	struct reader r = span_reader(bytes);
	uint64_t memory = reader_le64(&r), end = 0;
	struct tdvf t = { .count = 0 };
	struct err e;

	while (reader_left(&r) >= 3 && t.count < TDVF_SECTIONS_MAX) {
		struct tdvf_section *s = &t.sections[t.count++];

		/* Whole pages that don't overlap, as tdvf_parse() has checked. */
		s->type = reader_u8(&r) % TDVF_TYPE_COUNT;
		s->gpa = end + (uint64_t)reader_u8(&r) * TDVF_PAGE_LEN * 0x1000;
		s->len = ((uint64_t)reader_u8(&r) + 1) * TDVF_PAGE_LEN;
		end = s->gpa + s->len;
	}
	if (td_hob_measure(&t, memory, parts.hob, &e) < 0)
		return;
	if (memory > TD_HOB_MEMORY_MAX || rtmr0_values(&parts, values, &e) < 0)
		__builtin_trap();
}

static void take_firmware(struct span bytes)
{
	static const struct launch_tables tables;
	struct rtmr0_parts parts;
	struct err e;

	if (rtmr0_measure(bytes, UINT64_C(1) << 30, &tables, &parts, &e) == 0 &&
	    parts.tables != &tables)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const take[])(struct span) = { take_volume, take_script, take_sections,
						     take_firmware };

	if (len)
		take[bytes[0] % (sizeof(take) / sizeof(take[0]))](
			(struct span){ bytes + 1, len - 1 });
	return 0;
}
