/* SPDX-License-Identifier: Apache-2.0 */
/* RTMR0 from its parts: the list of memory, the configuration volume, tables, and genuine logs. */
#include "attestation/logs/event_log.h"
#include "attestation/measure/cfv.h"
#include "attestation/measure/efi_boot.h"
#include "attestation/measure/rtmr0.h"
#include "attestation/measure/td_hob.h"
#include "common/base/encode.h"
#include "tests/unit/attestation/measure/made_tdvf.h"
#include "tests/unit/folder.h"
#include "tests/vectors.h"

enum { RTMR0 = 1, RTMR1 = 2, RTMR2 = 3, PLATFORM_CONFIG_FLAGS = 0xa, COMMAND = 128 };

static uint8_t image[MADE_LEN];
static struct tdvf made;

static int make(void **state)
{
	struct err e;

	made_tdvf(made_sections, ARRAY_LEN(made_sections), image);
	if (tdvf_parse((struct span){ image, sizeof(image) }, &made, &e) < 0)
		return -1;
	return folder_make(state);
}

static void assert_digest(const uint8_t digest[SHA384_LEN], const char *wanted)
{
	char hex[2 * SHA384_LEN + 1];

	hex_encode(digest, SHA384_LEN, hex);
	assert_string_equal(hex, wanted);
}

/* ---- the list of memory ---- */

/* Python's struct and hashlib, over the same list; 2 GiB and 64 GiB are genuine TDs', too. */
static void memory_is_listed_as_qemu_lists_it(void **state)
{
	static const struct {
		uint64_t memory;
		const char *digest;
	} rows[] = {
		{ 0x820000, /* it ends where the last section does */
		  "500e9eda2fa9fdc14c4773899f1394fd8026a958e1bbd3dada998e8b6fe18fa979a806cf474e8d6c46402a73"
		  "11760316" },
		{ UINT64_C(16) << 20,
		  "f5cd908951677af1fbacb9e32dbb9fecf1cd53369a37b9c618b628425610b71eeec6571b7e519761dd76100f"
		  "abeabadb" },
		{ UINT64_C(2047) << 20,
		  "f17054e5c9c508729703d5b0201aa7ab1ed32ade6c1e0327a0c47ea488a8943734b1e15394f83bf449985680"
		  "30d3743b" },
		{ UINT64_C(2048) << 20,
		  "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c93"
		  "8ba8a749" },
		{ UINT64_C(2815) << 20,
		  "51d4fd91da99cc87d6826bd6177fe8c74790b01b6a315d7ca2639d9d1df9e7835a2251b8e69ecef132b6b030"
		  "2040f25e" },
		{ (UINT64_C(2816) << 20) - 4096, /* the last that is all below 4 GiB */
		  "4e7f62d8d6e4185576116da418582a3b0b73e9ce0837d8f9b14969fa1b23828025bc6fe96cdb2e85d4e9e1af"
		  "41f40334" },
		{ UINT64_C(2816) << 20, /* 2 GiB low, the rest above 4 GiB */
		  "8eb1a02074362aa0761541cdb4dc3f1788dfeb4538803b241477848e26de294dbe917ab56c5628732679b3ab"
		  "c168c2de" },
		{ UINT64_C(2817) << 20,
		  "6962fc2b19812295c5c28e4505723594fa56a220b856fa7f3ddc70c587d4de7806f0dd1215bc76f599704fda"
		  "71346497" },
		{ UINT64_C(3072) << 20,
		  "798f84285da30f6c295fbb73e3c093cf13164b6ad9d547a123b8d4d305f87a027caaba88e4cfd684ed7b424f"
		  "37811a2e" },
		{ UINT64_C(65536) << 20,
		  "8ae1e425351df7992c444586eff99d35af3b779aa2b0e981cb4b73bc5b279f2ade19b6a62a203fc3c3bbdaae"
		  "80af596d" },
	};
	uint8_t digest[SHA384_LEN];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(td_hob_measure(&made, rows[i].memory, digest, &e), e);
		assert_digest(digest, rows[i].digest);
	}
}

static void memory_that_no_td_has_is_refused(void **state)
{
	uint8_t digest[SHA384_LEN];
	struct err e;

	assert_ok(td_hob_measure(&made, TD_HOB_MEMORY_MAX, digest, &e), e);
	assert_refused(td_hob_measure(&made, TD_HOB_MEMORY_MAX + 4096, digest, &e), e, ERR_INVALID,
		       "at most");
	assert_refused(td_hob_measure(&made, 0, digest, &e), e, ERR_INVALID, "0 bytes");
	assert_refused(td_hob_measure(&made, (1 << 30) + 1, digest, &e), e, ERR_INVALID,
		       "whole pages");
	assert_refused(td_hob_measure(&made, 0x820000 - 4096, digest, &e), e, ERR_PRECONDITION,
		       "TempMem section at 0x810000");
}

static void refuse_sections(const struct made_section *sections, size_t count, const char *words)
{
	static uint8_t bytes[MADE_LEN];
	uint8_t digest[SHA384_LEN];
	struct tdvf tdvf;
	struct err e;

	made_tdvf(sections, count, bytes);
	assert_ok(tdvf_parse((struct span){ bytes, sizeof(bytes) }, &tdvf, &e), e);
	assert_refused(td_hob_measure(&tdvf, UINT64_C(3072) << 20, digest, &e), e, ERR_PRECONDITION,
		       words);
}

static void sections_that_qemu_does_not_launch_are_refused(void **state)
{
	struct made_section s[ARRAY_LEN(made_sections) + 1];

	memcpy(s, made_sections, sizeof(made_sections));
	s[6] = (struct made_section){ 0, 0, 0x900000, 0x1000, TDVF_PERM_MEM, 0 };
	refuse_sections(s, 7, "PermMem");
	s[6].type = TDVF_TD_HOB;
	refuse_sections(s, 7, "such a TD_HOB");
	s[6] = (struct made_section){ 0, 0, 0x7ffff000, 0x2000, TDVF_TEMP_MEM, 0 };
	refuse_sections(s, 7, "0x7ffff000 is not in 3072 MiB");
	s[6].gpa = UINT64_C(0xfffff000) - 0x10000000;
	refuse_sections(s, 7, "is not in 3072 MiB");
	s[4].type = TDVF_TEMP_MEM;
	refuse_sections(s, 6, "no TD_HOB");
}

static void the_list_has_to_fit_its_section(void **state)
{
	enum { MANY = 46 }; /* 56 + 2 * 46 * 48 + 48 + 48 + 8 bytes */
	struct made_section s[3 + MANY];
	static uint8_t bytes[MADE_LEN];
	uint8_t digest[SHA384_LEN];
	struct tdvf tdvf;
	struct err e;

	memcpy(s, made_sections, 2 * sizeof(s[0]));
	for (size_t i = 0; i < ARRAY_LEN(s) - 2; i++)
		s[2 + i] = (struct made_section){
			0, 0, 0x1000 + 0x2000 * i, 0x1000, i ? TDVF_TEMP_MEM : TDVF_TD_HOB, 0
		};
	for (size_t count = 40; count <= ARRAY_LEN(s); count++) {
		size_t len = 56 + (2 * (count - 2) + 1) * 48 + 8;

		made_tdvf(s, count, bytes);
		assert_ok(tdvf_parse((struct span){ bytes, sizeof(bytes) }, &tdvf, &e), e);
		if (len <= 4096)
			assert_ok(td_hob_measure(&tdvf, UINT64_C(1) << 30, digest, &e), e);
		else
			assert_refused(td_hob_measure(&tdvf, UINT64_C(1) << 30, digest, &e), e,
				       ERR_PRECONDITION, "too small");
	}
}

/* ---- the configuration volume ---- */

static void an_empty_volume_is_known(void **state)
{
	uint8_t digest_of[SHA384_LEN];
	struct span cfv;
	struct err e;

	assert_ok(cfv_check_empty(&made, &cfv, &e), e);
	assert_int_equal(cfv.len, MADE_CFV_LEN);
	assert_ok(digest(DIGEST_SHA384, cfv.bytes, cfv.len, digest_of, &e), e);
	assert_digest(digest_of,
		      "344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21"
		      "c097d473155875ffd561d6790");
}

static void a_volume_of_another_form_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum err_code code;
		const char *words;
	} rows[] = {
		{ 16, 0, ERR_INVALID, "no firmware volume" },
		{ 34, 9, ERR_INVALID, "bytes in 540672" },
		{ 40, 'X', ERR_INVALID, "no firmware volume" },
		{ 48, 0x47, ERR_INVALID, "header of 71 bytes" },
		{ 48, 0x37, ERR_INVALID, "header of 55 bytes" },
		{ 49, 0xff, ERR_INVALID, "header of 65352 bytes" },
		{ 50, 0, ERR_INVALID, "checksum" },
		{ 55, 3, ERR_INVALID, "no firmware volume" },
		{ MADE_STORE_AT, 0, ERR_INVALID, "no store" },
		{ MADE_STORE_AT + 16, 0xb7, ERR_OK, NULL },
		{ MADE_STORE_AT + 19, 1, ERR_INVALID, "a store of" },
		{ MADE_STORE_AT + 20, 0, ERR_INVALID, "no store" },
		{ MADE_STORE_AT + 21, 0, ERR_INVALID, "no store" },
		{ MADE_STORE_AT + 22, 1, ERR_INVALID, "no store" },
		{ MADE_STORE_AT + 28, 0xaa, ERR_PRECONDITION, "holds variables" },
		{ MADE_STORE_AT + 0x3ffb7, 0xfe, ERR_PRECONDITION, "holds variables" },
		{ MADE_STORE_AT + 0x3ffb8, 0xfe, ERR_OK, NULL }, /* behind the store */
	};
	struct span cfv;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *at = image + rows[i].at, was = *at;

		*at = rows[i].value;
		if (rows[i].code)
			assert_refused(cfv_check_empty(&made, &cfv, &e), e, rows[i].code,
				       rows[i].words);
		else
			assert_ok(cfv_check_empty(&made, &cfv, &e), e);
		*at = was;
	}
}

static void a_volume_is_read_to_its_end_only(void **state)
{
	struct tdvf cut = made;
	struct span cfv;
	struct err e;

	for (size_t len = 0; len < 128; len++) {
		cut.sections[1].data.len = len;
		assert_int_equal(cfv_check_empty(&cut, &cfv, &e), -(int)ERR_INVALID);
	}
	cut.sections[1].data.len = CFV_MAX + 1;
	assert_refused(cfv_check_empty(&cut, &cfv, &e), e, ERR_INVALID, "at most");
	cut.sections[1].type = TDVF_TEMP_MEM;
	assert_refused(cfv_check_empty(&cut, &cfv, &e), e, ERR_NOT_FOUND,
		       "no configuration volume");
	cut.sections[1].type = cut.sections[2].type = TDVF_CFV;
	assert_refused(cfv_check_empty(&cut, &cfv, &e), e, ERR_INVALID,
		       "two configuration volumes");
}

/* ---- tables ---- */

static uint8_t *command(uint8_t *at, uint32_t what, const char *file)
{
	memset(at, 0, COMMAND);
	bytes_put_le(at, what, 4);
	strcpy((char *)at + 4, file);
	return at + COMMAND;
}

static void a_script_names_its_files(void **state)
{
	uint8_t script[(ACPI_LOADER_FILES_MAX + 2) * COMMAND], *at = script;
	struct acpi_loader loader;
	char name[16];
	struct err e;

	at = command(at, 1, "etc/acpi/rsdp");
	at = command(at, 2, "etc/acpi/rsdp");
	at = command(at, 1, "etc/acpi/tables");
	at = command(at, 0, "");
	assert_ok(acpi_loader_parse((struct span){ script, (size_t)(at - script) }, &loader, &e),
		  e);
	assert_int_equal(loader.count, 2);
	assert_string_equal(loader.files[0], "etc/acpi/rsdp");
	assert_string_equal(loader.files[1], "etc/acpi/tables");
	for (size_t len = 1; len < COMMAND; len++)
		assert_refused(acpi_loader_parse((struct span){ script, len }, &loader, &e), e,
			       ERR_INVALID, "whole commands");
	at = script;
	for (size_t i = 0; i <= ACPI_LOADER_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "etc/%zu", i);
		at = command(at, 1, name);
		if (i < ACPI_LOADER_FILES_MAX)
			assert_ok(acpi_loader_parse((struct span){ script, (size_t)(at - script) },
						    &loader, &e),
				  e);
	}
	assert_refused(
		acpi_loader_parse((struct span){ script, (size_t)(at - script) }, &loader, &e), e,
		ERR_INVALID, "more than 8 files");
}

static void a_script_that_firmware_would_not_follow_is_refused(void **state)
{
	static const char *const names[] = { "",     "/etc/x", "../x", "etc/../x", "etc//x",
					     "etc/", ".x",     "a b",  "etc/\n" };
	static uint8_t much[ACPI_LOADER_MAX + COMMAND];
	uint8_t script[3 * COMMAND];
	struct acpi_loader loader;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		command(script, 1, names[i]);
		assert_refused(acpi_loader_parse((struct span){ script, COMMAND }, &loader, &e), e,
			       ERR_INVALID, "proper name");
	}
	memset(script + 4, 'a', ACPI_LOADER_NAME_MAX);
	assert_refused(acpi_loader_parse((struct span){ script, COMMAND }, &loader, &e), e,
		       ERR_INVALID, "proper name");
	command(script, 1, "etc/x")[-COMMAND + 4 + 8] = 'y';
	assert_refused(acpi_loader_parse((struct span){ script, COMMAND }, &loader, &e), e,
		       ERR_INVALID, "proper name");
	command(command(script, 1, "etc/x"), 1, "etc/x");
	assert_refused(acpi_loader_parse((struct span){ script, 2 * COMMAND }, &loader, &e), e,
		       ERR_INVALID, "twice");
	command(command(script, 1, "etc/x"), 5, "");
	assert_refused(acpi_loader_parse((struct span){ script, 2 * COMMAND }, &loader, &e), e,
		       ERR_INVALID, "command 5");
	command(command(command(script, 1, "etc/x"), 0, ""), 1, "etc/y");
	assert_refused(acpi_loader_parse((struct span){ script, sizeof(script) }, &loader, &e), e,
		       ERR_INVALID, "command 1");
	command(script, 2, "etc/x");
	assert_refused(acpi_loader_parse((struct span){ script, COMMAND }, &loader, &e), e,
		       ERR_INVALID, "nothing");
	assert_refused(acpi_loader_parse((struct span){ NULL, 0 }, &loader, &e), e, ERR_INVALID,
		       "nothing");
	command(much, 1, "etc/x");
	assert_ok(acpi_loader_parse((struct span){ much, ACPI_LOADER_MAX }, &loader, &e), e);
	assert_refused(acpi_loader_parse((struct span){ much, sizeof(much) }, &loader, &e), e,
		       ERR_INVALID, "at most");
}

static void put(const char *name, const void *bytes, size_t len)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
}

static void tables_are_read_from_a_folder(void **state)
{
	uint8_t script[2 * COMMAND], wanted[SHA384_LEN];
	struct launch_tables tables;
	char path[128], long_line[LAUNCH_QEMU_MAX + 1];
	struct err e;

	for (const char *const *sub = (const char *const[]){ "etc", "etc/acpi", NULL }; *sub;
	     sub++) {
		snprintf(path, sizeof(path), "%s/%s", test_folder, *sub);
		assert_ok(dir_make(path, 0700, &e), e);
	}
	command(command(script, 1, "etc/acpi/rsdp"), 1, "etc/acpi/tables");
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_NOT_FOUND, "qemu");
	put("qemu", "QEMU emulator version 10.0.2\n", 29);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_NOT_FOUND, "bootorder");
	put("bootorder", "/rom@genroms/linuxboot_dma.bin", 31);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_NOT_FOUND,
		       "table-loader");
	put("etc/table-loader", script, sizeof(script));
	put("etc/acpi/rsdp", "RSD PTR ", 8);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_NOT_FOUND,
		       "acpi/tables");
	put("etc/acpi/tables", "", 0);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_INVALID, "is empty");
	put("etc/acpi/tables", "DSDT", 4);
	assert_ok(launch_tables_read(test_folder, &tables, &e), e);
	assert_string_equal(tables.qemu, "QEMU emulator version 10.0.2");
	assert_int_equal(tables.count, 3);
	assert_string_equal(tables.tables[2].name, "etc/acpi/tables");
	assert_ok(digest(DIGEST_SHA384, "DSDT", 4, wanted, &e), e);
	assert_memory_equal(tables.tables[2].digest, wanted, sizeof(wanted));
	assert_ok(digest(DIGEST_SHA384, script, sizeof(script), wanted, &e), e);
	assert_memory_equal(tables.tables[0].digest, wanted, sizeof(wanted));

	memset(long_line, 'x', sizeof(long_line));
	put("qemu", long_line, LAUNCH_QEMU_MAX - 1);
	assert_ok(launch_tables_read(test_folder, &tables, &e), e);
	put("qemu", long_line, LAUNCH_QEMU_MAX);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_INVALID, "at most 127");
	put("qemu", "a\x1b[2J", 5);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_INVALID, "plain ASCII");
	put("qemu", "\n", 1);
	assert_refused(launch_tables_read(test_folder, &tables, &e), e, ERR_INVALID, "no line");
}

/* ---- the register ---- */

/* What a genuine log says of a register, in order; the bank is the only one. */
static size_t events_of(const struct event_log *log, uint32_t reg, const uint8_t *digests[],
			size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].pcr == reg && log->events[i].type != EVENT_NO_ACTION) {
			assert_true(count < room);
			digests[count++] = log->events[i].digests[0];
		}
	return count;
}

static uint8_t *open_log(const char *name, struct event_log *log)
{
	char path[512];
	uint8_t *bytes;
	struct span span;
	struct err e;

	snprintf(path, sizeof(path), "%s/eventlog/%s/eventlog.bin", vectors_folder(), name);
	assert_ok(file_read(path, EVENT_LOG_MAX, &bytes, &span.len, &e), e);
	span.bytes = bytes;
	assert_ok(event_log_parse(span, (struct event_log_form){ .cc = true }, log, &e), e);
	return bytes;
}

/* The tables of that machine, of which nothing but the digests was published. */
static void tables_of(const struct event_log *log, struct launch_tables *tables)
{
	tables->count = 0;
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].pcr == RTMR0 && log->events[i].type == PLATFORM_CONFIG_FLAGS)
			memcpy(tables->tables[tables->count++].digest, log->events[i].digests[0],
			       SHA384_LEN);
	assert_int_equal(tables->count, 3);
}

static bool among(const uint8_t *values, size_t count, size_t step, const uint8_t *value)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(values + i * step, value, SHA384_LEN) == 0)
			return true;
	return false;
}

/* A TD of 2 GiB that QEMU booted directly, with OVMF of 2023: memory, volume, switch, lists, options
 * and separators are computed, tables and what was booted are the log's. */
static void a_genuine_td_is_reproduced(void **state)
{
	static struct efi_boot_values values[EFI_BOOT_RTMRS];
	static struct efi_boot boot = { .kernel_count = 1, .banks[1].kind = DIGEST_SHA384 };
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	CLEANUP(free) uint8_t *bytes = NULL;
	struct launch_tables tables = { .count = 0 };
	uint8_t rtmr0[RTMR0_VALUES][SHA384_LEN];
	struct event_replay replay;
	struct rtmr0_parts parts;
	const uint8_t *of[8];
	struct err e;

	VECTORS_OR_SKIP();
	bytes = open_log("ccel-ovmf", &log);
	tables_of(&log, &tables);
	assert_ok(event_log_replay(&log, DIGEST_SHA384, &replay, &e), e);
	assert_ok(rtmr0_measure((struct span){ image, sizeof(image) }, UINT64_C(2) << 30, &tables,
				&parts, &e),
		  e);
	assert_ok(rtmr0_values(&parts, rtmr0, &e), e);
	assert_true(among(rtmr0[0], RTMR0_VALUES, SHA384_LEN, replay.values[RTMR0]));

	assert_int_equal(events_of(&log, RTMR1, of, ARRAY_LEN(of)), 4);
	memcpy(boot.banks[1].kernels[0], of[0], SHA384_LEN);
	assert_int_equal(events_of(&log, RTMR2, of, ARRAY_LEN(of)), 2);
	memcpy(boot.banks[1].options, of[0], SHA384_LEN);
	memcpy(boot.banks[1].initrd, of[1], SHA384_LEN);
	assert_ok(efi_boot_rtmrs(&boot, values, &e), e);
	assert_true(among(values[0].values[0], values[0].count, DIGEST_MAX, replay.values[RTMR1]));
	assert_true(among(values[1].values[0], values[1].count, DIGEST_MAX, replay.values[RTMR2]));
}

/* Memory and volume of other genuine TDs, on both sides of 4 GiB. */
static void the_lists_of_genuine_tds_are_reproduced(void **state)
{
	static const struct {
		const char *log;
		uint64_t memory;
		bool empty_volume;
	} rows[] = { { "ccel-ovmf", UINT64_C(2) << 30, true },
		     { "ccel-intel-test", UINT64_C(8) << 30, true },
		     { "ccel-grub", UINT64_C(10) << 30, false } };
	struct launch_tables tables = { .count = 0 };

	VECTORS_OR_SKIP();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_EVENT_LOG struct event_log log = { 0 };
		CLEANUP(free) uint8_t *bytes = NULL; /* the log points into them */
		const uint8_t *of[24];
		struct rtmr0_parts parts;
		struct err e;

		bytes = open_log(rows[i].log, &log);
		assert_ok(rtmr0_measure((struct span){ image, sizeof(image) }, rows[i].memory,
					&tables, &parts, &e),
			  e);
		assert_true(events_of(&log, RTMR0, of, ARRAY_LEN(of)) > 2);
		assert_memory_equal(of[0], parts.hob, SHA384_LEN);
		assert_int_equal(memcmp(of[1], parts.cfv, SHA384_LEN) == 0, rows[i].empty_volume);
	}
}

/* Each thing that a host gives changes every value, and no two values are the same. */
static void everything_counts(void **state)
{
	struct launch_tables tables = { .count = 2,
					.tables = { { .digest = { 1 } }, { .digest = { 2 } } } };
	struct span firmware = { image, sizeof(image) };
	uint8_t before[RTMR0_VALUES][SHA384_LEN], after[RTMR0_VALUES][SHA384_LEN];
	struct rtmr0_parts parts, other;
	struct err e;

	assert_ok(rtmr0_measure(firmware, UINT64_C(1) << 30, &tables, &parts, &e), e);
	assert_ok(rtmr0_values(&parts, before, &e), e);
	for (size_t i = 0; i < RTMR0_VALUES; i++)
		assert_false(among(before[0], i, SHA384_LEN, before[i]));
	for (size_t what = 0; what < 4; what++) {
		struct launch_tables changed = tables;

		image[MADE_CFV_LEN - 1] = what == 0 ? 0 : 0xff;
		changed.tables[1].digest[0] = what == 1 ? 3 : 2;
		changed.count = what == 2 ? 1 : 2;
		assert_ok(rtmr0_measure(firmware, (UINT64_C(1) << 30) + (what == 3 ? 4096 : 0),
					&changed, &other, &e),
			  e);
		assert_ok(rtmr0_values(&other, after, &e), e);
		for (size_t i = 0; i < RTMR0_VALUES; i++)
			assert_false(among(before[0], RTMR0_VALUES, SHA384_LEN, after[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_listed_as_qemu_lists_it),
		cmocka_unit_test(memory_that_no_td_has_is_refused),
		cmocka_unit_test(sections_that_qemu_does_not_launch_are_refused),
		cmocka_unit_test(the_list_has_to_fit_its_section),
		cmocka_unit_test(an_empty_volume_is_known),
		cmocka_unit_test(a_volume_of_another_form_is_refused),
		cmocka_unit_test(a_volume_is_read_to_its_end_only),
		cmocka_unit_test(a_script_names_its_files),
		cmocka_unit_test(a_script_that_firmware_would_not_follow_is_refused),
		cmocka_unit_test(tables_are_read_from_a_folder),
		cmocka_unit_test(a_genuine_td_is_reproduced),
		cmocka_unit_test(the_lists_of_genuine_tds_are_reproduced),
		cmocka_unit_test(everything_counts),
	};

	return cmocka_run_group_tests(tests, make, folder_remove);
}
