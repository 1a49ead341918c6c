/* SPDX-License-Identifier: Apache-2.0 */
/* Registers that a boot comes to. The values are another program's, which also replayed the logs of
 * real boots; tests/integration/efi_boot.py compares with machines. */
#include "attestation/measure/efi_boot.h"
#include "common/base/encode.h"
#include "tests/unit.h"
#include "tests/unit/attestation/measure/tiny_kernel.h"

static uint8_t kernel[TINY_LEN], initrd[TINY_INITRD_LEN];

static int make_files(void **state)
{
	tiny_kernel(kernel);
	tiny_initrd(initrd);
	return 0;
}

static int measure(const char *cmdline, uint64_t mib, struct efi_boot *boot, struct err *e)
{
	return efi_boot_measure((struct span){ kernel, sizeof(kernel) },
				(struct span){ initrd, sizeof(initrd) }, cmdline, mib, boot, e);
}

static const struct value {
	size_t bank;
	unsigned index;
	size_t nth, count;
	const char *hex;
} pcrs[] = {
	{ EFI_BOOT_SHA256, 2, 0, 1,
	  "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969" },
	{ EFI_BOOT_SHA256, 3, 0, 1,
	  "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969" },
	/* As it is; at 512 MiB, …, 2560 MiB; above. */
	{ EFI_BOOT_SHA256, 4, 0, 11,
	  "3036e0feaf1103b30c364f04292c98d91b6bd1fb53a3d984565b8ef3d304e6a4" },
	{ EFI_BOOT_SHA256, 4, 1, 11,
	  "241b7ac33bfd461b68f2a4264cea0513fe63bb6ced7566c696778d29d1884b73" },
	{ EFI_BOOT_SHA256, 4, 9, 11,
	  "1e6e4a5c4242b86ef110a7b11802187be6f744846998cb0104a4b7db93caef3b" },
	{ EFI_BOOT_SHA256, 4, 10, 11,
	  "52c7b918521af07547693c8a48240fb8fea7769968ff4923fb7de7cae9c66937" },
	{ EFI_BOOT_SHA256, 6, 0, 1,
	  "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969" },
	{ EFI_BOOT_SHA256, 7, 0, 2,
	  "b5710bf57d25623e4019027da116821fa99f5c81e9e38b87671cc574f9281439" },
	{ EFI_BOOT_SHA256, 7, 1, 2,
	  "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068" },
	{ EFI_BOOT_SHA256, 9, 0, 1,
	  "bafd6aba94d1135ce25fb525d6aae45b2b5510200b7df3c5fb458ae0d2423cbd" },
	{ EFI_BOOT_SHA384, 2, 0, 1,
	  "518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae4d50529d96fe4d1afdafb65e7f"
	  "95bf23c4" },
	{ EFI_BOOT_SHA384, 4, 0, 11,
	  "6bac928afbbe5d0decb238aa83fae8c883c6ef1d6ab830e49e1a8edb867a0e66bf36566139bbcbedfc7a5260"
	  "daca2f9e" },
	{ EFI_BOOT_SHA384, 4, 10, 11,
	  "685c7cb41af318d10fa0224a73872b9880d065ce4f09120062164526a1e16b829e7d4cf15ffc5f0d1629f457"
	  "998c4ed3" },
	{ EFI_BOOT_SHA384, 7, 1, 2,
	  "98441c7f7625d10058c47683aec486ce311c633235eb555593a7ee791121e3578ae72d04ecef661f272d5905"
	  "8b77af35" },
	{ EFI_BOOT_SHA384, 9, 0, 1,
	  "dd6222591ea37dc88ae4ae283f9d93c5f6030b4e45fa93af5819c445d049f398a587c7d04d4fab900c9c5380"
	  "cdab47ad" },
}, rtmrs[] = {
	{ EFI_BOOT_SHA384, 1, 0, 22,
	  "ae33d2fbd1572e3b8e55aef6d301adb037bde8e5164f2ab5a389dd7f426eff90157e09ef2a892a1a32c4df12"
	  "d6d5c755" },
	{ EFI_BOOT_SHA384, 1, 10, 22,
	  "1c79fecce8f79593ef8d9e54f328e30e50c51cb6a6ea02c0fb540984da2a939d5ec9d8e3a51324eb44170ad5"
	  "a95cbbc1" },
	{ EFI_BOOT_SHA384, 2, 0, 1,
	  "dd6222591ea37dc88ae4ae283f9d93c5f6030b4e45fa93af5819c445d049f398a587c7d04d4fab900c9c5380"
	  "cdab47ad" },
};

static void assert_value(const struct efi_boot_values *all, size_t count, const struct value *v)
{
	char hex[2 * DIGEST_MAX + 1];
	size_t i = 0;

	while (i < count && all[i].index != v->index)
		i++;
	assert_true(i < count);
	assert_int_equal(all[i].count, v->count);
	hex_encode(all[i].values[v->nth], all[i].len, hex);
	if (strcmp(hex, v->hex) != 0)
		fail_msg("register %u, value %zu: %s", v->index, v->nth, hex);
}

static void registers_are_what_others_compute(void **state)
{
	static struct efi_boot_values values[EFI_BOOT_PCRS];
	static struct efi_boot boot;
	struct err e;

	assert_ok(measure("console=ttyS0 quiet", 512, &boot, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(pcrs); i++) {
		assert_ok(efi_boot_pcrs(&boot, pcrs[i].bank, values, &e), e);
		assert_value(values, EFI_BOOT_PCRS, &pcrs[i]);
	}
	assert_ok(efi_boot_rtmrs(&boot, values, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(rtmrs); i++)
		assert_value(values, EFI_BOOT_RTMRS, &rtmrs[i]);
}

static void memory_that_is_foreseen(void **state)
{
	static const struct {
		uint64_t mib;
		size_t kernels;
	} rows[] = {
		{ 0, 12 },   { 1, 12 },   { 256, 12 },  { 257, 11 },       { 2560, 3 },
		{ 2561, 2 }, { 2816, 2 }, { 65536, 2 }, { UINT64_MAX, 2 },
	};
	static struct efi_boot boot;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(measure("quiet", rows[i].mib, &boot, &e), e);
		assert_int_equal(boot.kernel_count, rows[i].kernels);
	}
}

static void what_can_not_be_foreseen_is_refused(void **state)
{
	static struct efi_boot boot;
	char line[2100];
	struct err e;

	assert_refused(measure("caf\xc3\xa9", 512, &boot, &e), e, ERR_INVALID, "ASCII");
	assert_refused(measure("a\nb", 512, &boot, &e), e, ERR_INVALID, "ASCII");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	line[2048 - 15] = '\0'; /* with what OVMF adds, and the final zero, as much as fits */
	assert_ok(measure(line, 512, &boot, &e), e);
	line[2048 - 15] = 'x';
	line[2048 - 14] = '\0';
	assert_refused(measure(line, 512, &boot, &e), e, ERR_EXHAUSTED, "command line");
	assert_refused(efi_boot_measure((struct span){ kernel, sizeof(kernel) },
					(struct span){ initrd, 0 }, "quiet", 512, &boot, &e),
		       e, ERR_INVALID, "initrd");
	for (size_t len = 0; len < TINY_LEN; len += 7)
		assert_true(efi_boot_measure((struct span){ kernel, len },
					     (struct span){ initrd, sizeof(initrd) }, "quiet", 512,
					     &boot, &e) < 0);
	kernel[0x236] = 1; /* the initrd would have to lie elsewhere */
	assert_refused(measure("quiet", 512, &boot, &e), e, ERR_INVALID, "bzImage");
	tiny_kernel(kernel);
	bytes_put_le(kernel + 0x206, 0x20b, 2);
	assert_refused(measure("quiet", 512, &boot, &e), e, ERR_INVALID, "bzImage");
	tiny_kernel(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_what_others_compute),
		cmocka_unit_test(memory_that_is_foreseen),
		cmocka_unit_test(what_can_not_be_foreseen_is_refused),
	};

	return cmocka_run_group_tests(tests, make_files, NULL);
}
