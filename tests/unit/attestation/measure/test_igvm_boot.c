/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an IGVM file starts the kernel of an image: one that does, changed in one thing each time. */
#include "attestation/measure/igvm_boot.h"
#include "attestation/measure/vmsa.h"
#include "tests/forge/firmware.h"
#include "tests/unit.h"
#include "tests/unit/attestation/measure/tiny_igvm.h"

enum { FIRMWARE_0, FIRMWARE_1, HASHES, VMSA, SPARE, PAGES };
enum {
	HASHES_GPA = 0x810000,
	HASHES_IN_PAGE = 0xc00,
	/* Of the entry for the table, the second from the end. */
	ENTRY_END = FORGE_FIRMWARE_TABLE_END - 18 - 22,
	ENTRY_GUID = ENTRY_END - 16,
	ENTRY_VALUE = ENTRY_END - 22,
};

#define FOUR_GIB UINT64_C(0x100000000)

static uint8_t firmware[FORGE_FIRMWARE_LEN], hashes[TINY_IGVM_PAGE], vmsa[TINY_IGVM_PAGE];
static uint8_t file[TINY_IGVM_MAX];
static struct tiny_page pages[PAGES];
static size_t count;
static struct snp_measure boot;

static void good(void)
{
	forge_firmware(firmware);
	memset(&boot, 0, sizeof(boot));
	memset(boot.kernel, 0x11, sizeof(boot.kernel));
	memset(boot.initrd, 0x22, sizeof(boot.initrd));
	memset(boot.cmdline, 0x33, sizeof(boot.cmdline));
	memset(hashes, 0, sizeof(hashes));
	snp_measure_hashes(&boot, hashes + HASHES_IN_PAGE);
	vmsa_make(VMSA_QEMU, VMSA_BOOT_EIP, 0x00a00f11, 1, vmsa);
	vmsa[0x158] = 0x30; /* as KVM makes CR0 */
	memset(pages, 0, sizeof(pages));
	pages[FIRMWARE_0] =
		(struct tiny_page){ .gpa = FOUR_GIB - 2 * SNP_PAGE_LEN, .bytes = firmware };
	pages[FIRMWARE_1] = (struct tiny_page){ .gpa = FOUR_GIB - SNP_PAGE_LEN,
						.bytes = firmware + SNP_PAGE_LEN };
	pages[HASHES] = (struct tiny_page){ .gpa = HASHES_GPA, .bytes = hashes };
	pages[VMSA] = (struct tiny_page){ .gpa = SNP_VMSA_GPA, .bytes = vmsa, .is_vmsa = true };
	count = VMSA + 1;
}

static int check(struct err *e)
{
	size_t len = tiny_igvm(pages, count, NULL, file);
	struct igvm igvm;

	assert_ok(igvm_open((struct span){ file, len }, &igvm, e), *e);
	return igvm_boot_check(&igvm, &boot, e);
}

static void no_vmsa(void)
{
	count = VMSA;
}

static void no_firmware(void)
{
	memmove(pages, pages + HASHES, 2 * sizeof(pages[0]));
	count = 2;
}

static void firmware_unmeasured(void)
{
	pages[FIRMWARE_1].flags = TINY_IGVM_UNMEASURED;
}

static void firmware_twice(void)
{
	pages[SPARE] = pages[FIRMWARE_1];
	count = PAGES;
}

static void ordinary_firmware(void)
{
	firmware[ENTRY_GUID] ^= 1;
}

static void table_over_the_edge(void)
{
	bytes_put_le(firmware + ENTRY_VALUE, HASHES_GPA + SNP_PAGE_LEN - SNP_HASHES_TABLE_LEN + 1,
		     4);
}

static void no_hashes(void)
{
	pages[HASHES] = pages[VMSA];
	count = HASHES + 1;
}

static void hashes_elsewhere(void)
{
	pages[HASHES].gpa += SNP_PAGE_LEN;
}

static void hashes_unmeasured(void)
{
	pages[HASHES].flags = TINY_IGVM_UNMEASURED;
}

static void hashes_of_the_host(void)
{
	pages[HASHES] = (struct tiny_page){ .gpa = HASHES_GPA, .type = IGVM_SECRETS };
}

static void hashes_of_zeros(void)
{
	pages[HASHES].bytes = NULL;
}

static void hashes_twice(void)
{
	pages[SPARE] = (struct tiny_page){ .gpa = HASHES_GPA, .type = IGVM_CPUID };
	count = PAGES;
}

static void other_kernel(void)
{
	boot.kernel[SHA256_LEN - 1] ^= 1;
}

static void other_initrd(void)
{
	boot.initrd[0] ^= 1;
}

static void other_cmdline(void)
{
	boot.cmdline[SHA256_LEN - 1] ^= 1;
}

static void only_what_starts_the_image_is_taken(void **state)
{
	static const struct {
		void (*change)(void);
		const char *said;
	} cases[] = {
		{ no_vmsa, "no VMSA" },
		{ no_firmware, "no firmware" },
		{ firmware_unmeasured, "no firmware" },
		{ firmware_twice, "two pages at 0xfffff000" },
		{ ordinary_firmware, "any kernel that the host brings" },
		{ table_over_the_edge, "left to the host" },
		{ no_hashes, "left to the host" },
		{ hashes_elsewhere, "left to the host" },
		{ hashes_unmeasured, "left to the host" },
		{ hashes_of_the_host, "left to the host" },
		{ hashes_of_zeros, "not those of this image's" },
		{ hashes_twice, "two pages at 0x810000" },
		{ other_kernel, "not those of this image's" },
		{ other_initrd, "not those of this image's" },
		{ other_cmdline, "not those of this image's" },
	};
	struct err e;

	good();
	assert_ok(check(&e), e);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		good();
		cases[i].change();
		assert_refused(check(&e), e, ERR_PRECONDITION, cases[i].said);
	}
}

/* A measured page of somebody's own, beside good firmware and a good table, must not be what starts. */
static void the_processor_starts_the_firmware(void **state)
{
	static const struct {
		const char *name;
		unsigned at;
		uint64_t value;
		unsigned len;
	} faults[] = {
		{ "CS.selector", 0x010, 8, 2 },
		{ "CS.attributes", 0x012, 0xc9b, 2 },
		{ "CS.limit", 0x014, 0xffffffff, 4 },
		{ "CS.base", 0x018, 0x100000, 8 },
		{ "SS.base", 0x028, 0x100000, 8 },
		{ "DS.base", 0x038, 0x100000, 8 },
		{ "GDTR.base", 0x068, 0x100000, 8 },
		{ "IDTR.base", 0x088, 0x100000, 8 },
		{ "TR.base", 0x098, 0x100000, 8 },
		{ "VMPL", 0x0ca, 1, 1 },
		{ "CPL", 0x0cb, 3, 1 },
		{ "EFER", 0x0d0, 0x1500, 8 },
		{ "CR4", 0x148, 0x60, 8 },
		{ "CR3", 0x150, 0x100000, 8 },
		{ "CR0.PE", 0x158, 0x31, 8 },
		{ "CR0.PG", 0x158, 0x80000030, 8 },
		{ "DR7", 0x160, 0x401, 8 },
		{ "RFLAGS", 0x170, 0x202, 8 },
		{ "RIP", 0x178, 0x100000, 8 },
		{ "RSP", 0x1d8, 0x100000, 8 },
		{ "G_PAT", 0x268, 0, 8 },
		{ "RDX, upper half", 0x314, 1, 4 },
		{ "SEV_FEATURES: no SNP", 0x3b0, 0, 8 },
		{ "SEV_FEATURES: vTOM", 0x3b0, 3, 8 },
		{ "XCR0", 0x3e8, 3, 8 },
		{ "the last byte that a file has", IGVM_VMSA_LEN - 1, 1, 1 },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		good();
		bytes_put_le(vmsa + faults[i].at, faults[i].value, faults[i].len);
		if (check(&e) == 0)
			fail_msg("%s is not looked at", faults[i].name);
		assert_int_equal(e.code, ERR_PRECONDITION);
		assert_non_null(strstr(e.text, "does not start the firmware"));
	}
}

static void what_steers_nothing_may_differ(void **state)
{
	static const struct {
		unsigned at;
		uint64_t value;
		unsigned len;
	} differences[] = {
		{ 0x158, 0x10, 8 },  /* CR0 without NE */
		{ 0x310, 0x600, 8 }, /* RDX: another processor */
		{ 0x3b0, 0x21, 8 },  /* DebugSwap */
		{ 0x408, 0, 4 },     /* MXCSR */
		{ 0x410, 0, 2 },     /* x87 FCW */
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
		good();
		bytes_put_le(vmsa + differences[i].at, differences[i].value, differences[i].len);
		assert_ok(check(&e), e);
	}
}

/* The last byte of the table may be the page's. */
static void the_table_may_end_with_its_page(void **state)
{
	struct err e;

	good();
	table_over_the_edge();
	firmware[ENTRY_VALUE]--;
	memset(hashes, 0, sizeof(hashes));
	snp_measure_hashes(&boot, hashes + SNP_PAGE_LEN - SNP_HASHES_TABLE_LEN);
	assert_ok(check(&e), e);
}

static void a_file_for_another_platform_is_none(void **state)
{
	struct igvm igvm;
	struct err e;
	size_t len;

	good();
	len = tiny_igvm(pages, HASHES, NULL, file);
	file[TINY_IGVM_FIXED + 8 + 5] = IGVM_SEV_ES;
	bytes_put_le(file + 20, 0, 4);
	bytes_put_le(file + 20, tiny_crc32(file, TINY_IGVM_FIXED + tiny_headers_len(HASHES, false)),
		     4);
	assert_ok(igvm_open((struct span){ file, len }, &igvm, &e), e);
	assert_refused(igvm_boot_check(&igvm, &boot, &e), e, ERR_PRECONDITION, "not for SEV-SNP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_starts_the_image_is_taken),
		cmocka_unit_test(the_processor_starts_the_firmware),
		cmocka_unit_test(what_steers_nothing_may_differ),
		cmocka_unit_test(the_table_may_end_with_its_page),
		cmocka_unit_test(a_file_for_another_platform_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
