/* SPDX-License-Identifier: Apache-2.0 */
/* From an image's files to the policy that its CVMs are judged by. */
#include "attestation/measure/igvm_measure.h"
#include "attestation/measure/reference.h"
#include "attestation/measure/snp_measure.h"
#include "attestation/measure/tdx_measure.h"
#include "attestation/measure/vmsa.h"
#include "attestation/policy/policy.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/kex_group.h"
#include "common/manifest/manifest.h"
#include "tests/forge/firmware.h"
#include "tests/unit/attestation/measure/tiny_igvm.h"
#include "tests/unit/attestation/measure/tiny_kernel.h"
#include "tests/unit/folder.h"
#include "tests/vectors.h"

static char kernel_path[64], initrd_path[64];
static struct image image = { .min_memory_mib = 512 };

static void put_file(struct image_file *file, char path[64], const char *name, const uint8_t *bytes,
		     size_t len)
{
	struct err e;

	snprintf(path, 64, "%s/%s", test_folder, name);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
	assert_ok(digest(DIGEST_SHA256, bytes, len, file->sha256, &e), e);
	file->path = path;
}

static int make_image(void **state)
{
	uint8_t kernel[TINY_LEN], initrd[TINY_INITRD_LEN];

	if (folder_make(state) < 0)
		return -1;
	tiny_kernel(kernel);
	tiny_initrd(initrd);
	put_file(&image.kernel, kernel_path, "vmlinuz", kernel, sizeof(kernel));
	put_file(&image.initrd, initrd_path, "initrd.img", initrd, sizeof(initrd));
	return 0;
}

/* The text, and that a verifier understands it. Frees with writer_done() and policy_done(). */
static void expect(enum reference_tee tee, const struct reference *x, struct writer *w,
		   struct policy *policy)
{
	struct policy_file file = { .name = "expected" };
	struct err e;

	*w = writer_up_to(REFERENCE_POLICY_MAX);
	assert_ok(reference_policy(tee, x, w, &e), e);
	assert_int_equal(w->bytes[w->len - 1], '\n');
	file.bytes = w->bytes;
	file.len = w->len;
	assert_ok(policy_parse(&file, 1, policy, &e), e);
}

static bool has(const struct writer *w, const char *text)
{
	return memmem(w->bytes, w->len, text, strlen(text)) != NULL;
}

static void a_tpms_policy_names_what_the_image_determines(void **state)
{
	struct reference x = { .image = &image, .cmdline = "console=ttyS0 quiet" };
	const struct manifest_digests manifest = { .sha3_256 = { 0x11 },
						   .pcr16_sha256 = { 0x22 },
						   .pcr16_sha384 = { 0x33 } };
	struct efi_boot boot;
	struct policy policy;
	struct writer w, again;
	struct err e;

	expect(REFERENCE_TPM, &x, &w, &policy);
	assert_true(policy.has_tpm && !policy.has_snp && !policy.has_tdx);
	assert_int_equal(policy.tpm.count, 2 * EFI_BOOT_PCRS);
	assert_false(policy.run.fixed_boot);
	assert_int_equal(policy.run.kernel, POLICY_KERNEL_STOCK);
	assert_true(has(&w, "3036e0feaf1103b30c364f04292c98d91b6bd1fb53a3d984565b8ef3d304e6a4"));
	policy_done(&policy);

	assert_ok(reference_boot(&image, x.cmdline, &boot, &e), e);
	x.boot = &boot;
	expect(REFERENCE_TPM, &x, &again, &policy);
	assert_int_equal(w.len, again.len);
	assert_memory_equal(w.bytes, again.bytes, w.len);
	policy_done(&policy);
	writer_done(&again);
	writer_done(&w);

	x.manifest = &manifest;
	expect(REFERENCE_TPM, &x, &w, &policy);
	assert_int_equal(policy.tpm.count, 2 * EFI_BOOT_PCRS + 2);
	assert_int_equal(policy.run.manifests.count, 1);
	assert_memory_equal(policy.run.manifests.values, manifest.sha3_256, SHA3_256_LEN);
	policy_done(&policy);
	writer_done(&w);
}

static void a_policy_names_the_key_exchanges_that_are_asked_for(void **state)
{
	static const struct {
		uint32_t groups;
		const char *text;
	} rows[] = {
		{ 1, ",\"tls\":{\"groups\":[\"X25519MLKEM768\"]}}\n" },
		{ 3, ",\"tls\":{\"groups\":[\"X25519MLKEM768\",\"x25519\"]}}\n" },
		{ KEX_GROUPS_ALL, "\"x25519\",\"secp256r1\",\"secp384r1\",\"secp521r1\"]}}\n" },
	};
	struct reference x = { .image = &image, .cmdline = "console=ttyS0 quiet" };
	struct policy policy;
	struct writer w;

	expect(REFERENCE_TPM, &x, &w, &policy);
	assert_false(has(&w, "tls"));
	policy_done(&policy);
	writer_done(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		x.tls_groups = rows[i].groups;
		expect(REFERENCE_TPM, &x, &w, &policy);
		assert_true(has(&w, rows[i].text));
		assert_int_equal(policy.tls_groups, rows[i].groups);
		policy_done(&policy);
		writer_done(&w);
	}
}

/* Rows of the shared launch measurements: kernel, initrd and command line as an owner has them. */
static void an_snp_policy_has_the_measurement(void **state)
{
	static const struct {
		const char *firmware, *kernel, *initrd, *cmdline, *cpu_type;
		unsigned cpus;
		const char *measurement;
	} rows[] = {
		{ "ovmf_AmdSev_suffix.bin", "empty.bin", "empty.bin", "console=ttyS0 loglevel=7",
		  "EPYC-v4", 1,
		  "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e70636"
		  "3b4b08fa" },
		{ "ovmf_AmdSev_suffix.bin", "kernel-4096.bin", "initrd-777.bin",
		  "console=ttyS0 root=/dev/vda9", "EPYC-Rome-v3", 2,
		  "19e4d2c4097a269976d080dbea7f229771a75fb27da03f0cbf5cfea3775c4425ae136c16390911ce18148da6"
		  "3d4923db" },
	};
	char path[512];
	struct err e;

	VECTORS_OR_SKIP();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image other = { 0 };
		struct reference x = { .image = &other,
				       .cmdline = rows[i].cmdline,
				       .firmware = path,
				       .cpus = rows[i].cpus,
				       .cpu_type = rows[i].cpu_type,
				       .smt = i };
		struct policy policy;
		struct writer w;

		other.own_kernel = i;
		snprintf(path, sizeof(path), "%s/snp-measure/fixtures/%s", vectors_folder(),
			 rows[i].kernel);
		assert_ok(digest_file(DIGEST_SHA256, path, other.kernel.sha256, &e), e);
		snprintf(path, sizeof(path), "%s/snp-measure/fixtures/%s", vectors_folder(),
			 rows[i].initrd);
		assert_ok(digest_file(DIGEST_SHA256, path, other.initrd.sha256, &e), e);
		snprintf(path, sizeof(path), "%s/snp-measure/fixtures/%s", vectors_folder(),
			 rows[i].firmware);
		expect(REFERENCE_SNP, &x, &w, &policy);
		assert_true(has(&w, rows[i].measurement));
		assert_true(policy.has_snp && !policy.has_tpm && !policy.has_tdx);
		assert_true(policy.run.fixed_boot);
		assert_int_equal(policy.run.kernel, i ? POLICY_KERNEL_OWN : POLICY_KERNEL_STOCK);
		assert_int_equal(has(&w, "smt"), i);
		policy_done(&policy);
		writer_done(&w);
	}
}

_Static_assert((int)LAUNCH_TABLES_MAX <= (int)EVENT_FILES_MAX &&
		       (int)ACPI_LOADER_NAME_MAX <= (int)EVENT_FILE_NAME_MAX,
	       "a policy has room for the tables of a launch");

/* Any firmware that a TD can be launched from will do. */
static void a_tdx_policy_leaves_rtmr0_to_be_named(void **state)
{
	static const uint8_t rtmr0[2][SHA384_LEN] = { { 1 }, { 2 } };
	char path[512];
	struct reference x = { .image = &image,
			       .cmdline = "console=ttyS0 quiet",
			       .firmware = path };
	CLEANUP(free) uint8_t *firmware = NULL;
	struct tdx_measure how = { 0 };
	uint8_t mrtd[SHA384_LEN];
	struct policy policy;
	struct writer w;
	struct err e;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/tdvf/small", getenv("COCOS_SOURCE"));
	assert_ok(file_read(path, OVMF_IMAGE_MAX, &firmware, &how.firmware.len, &e), e);
	how.firmware.bytes = firmware;
	expect(REFERENCE_TDX, &x, &w, &policy);
	assert_true(policy.has_tdx && !policy.has_tpm && !policy.has_snp);
	assert_true(policy.run.fixed_boot && policy.tdx.of_run);
	assert_int_equal(policy.run.kernel, POLICY_KERNEL_STOCK);
	assert_int_equal(policy.tdx.mrtd.count, 2);
	for (size_t i = 0; i < 2; i++) {
		how.order = i ? TDX_TWO_PASSES : TDX_PAGE_BY_PAGE;
		assert_ok(tdx_measure(&how, mrtd, &e), e);
		assert_memory_equal(policy.tdx.mrtd.values + i * SHA384_LEN, mrtd, SHA384_LEN);
	}
	assert_int_equal(policy.tdx.rtmr[0].count, 0);
	assert_int_equal(policy.tdx.rtmr[1].count, 22);
	assert_int_equal(policy.tdx.rtmr[2].count, 1);
	policy_done(&policy);
	writer_done(&w);
	x.rtmr0 = rtmr0;
	x.rtmr0_count = 2;
	expect(REFERENCE_TDX, &x, &w, &policy);
	assert_int_equal(policy.tdx.rtmr[0].count, 2);
	policy_done(&policy);
	writer_done(&w);
}

/* Firmware, digests of what is booted, and a VMSA. */
static size_t make_igvm(const char *cmdline, const uint8_t *id_block, uint8_t bytes[TINY_IGVM_MAX])
{
	static uint8_t firmware[FORGE_FIRMWARE_LEN], hashes[SNP_PAGE_LEN], vmsa[SNP_PAGE_LEN];
	const uint64_t end = UINT64_C(0x100000000);
	const struct tiny_page pages[] = {
		{ .gpa = end - 2 * SNP_PAGE_LEN, .bytes = firmware },
		{ .gpa = end - SNP_PAGE_LEN, .bytes = firmware + SNP_PAGE_LEN },
		{ .gpa = 0x810000, .bytes = hashes },
		{ .gpa = SNP_VMSA_GPA, .bytes = vmsa, .is_vmsa = true },
	};
	struct snp_measure boot = { .has_kernel = true };
	struct err e;

	forge_firmware(firmware);
	memcpy(boot.kernel, image.kernel.sha256, SHA256_LEN);
	memcpy(boot.initrd, image.initrd.sha256, SHA256_LEN);
	assert_ok(snp_measure_cmdline(cmdline, boot.cmdline, &e), e);
	snp_measure_hashes(&boot, hashes + 0xc00);
	vmsa_make(VMSA_QEMU, VMSA_BOOT_EIP, 0x00a00f11, 1, vmsa);
	vmsa[0x158] = 0x30; /* as KVM makes CR0 */
	return tiny_igvm(pages, ARRAY_LEN(pages), id_block, bytes);
}

static void an_igvm_file_has_a_policy_if_it_starts_the_image(void **state)
{
	const struct igvm_measure how = { .platform = IGVM_SEV_SNP, .as_loaded = true };
	uint8_t bytes[TINY_IGVM_MAX], measurement[SNP_DIGEST_LEN];
	char path[64];
	struct reference x = {
		.image = &image, .cmdline = "quiet", .firmware = path, .igvm = true
	};
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	enum igvm_id_block id_block;
	struct policy policy;
	struct writer written;
	struct igvm igvm;
	struct err e;
	size_t len = make_igvm("quiet", NULL, bytes);

	snprintf(path, sizeof(path), "%s/image.igvm", test_folder);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
	assert_ok(igvm_open((struct span){ bytes, len }, &igvm, &e), e);
	assert_ok(igvm_measure(&igvm, &how, measurement, &(size_t){ 0 }, &id_block, &e), e);
	expect(REFERENCE_SNP, &x, &written, &policy);
	assert_int_equal(policy.snp.measurements.count, 1);
	assert_memory_equal(policy.snp.measurements.values, measurement, SNP_DIGEST_LEN);
	policy_done(&policy);
	writer_done(&written);

	x.cmdline = "quiet cocos.other";
	assert_refused(reference_policy(REFERENCE_SNP, &x, &w, &e), e, ERR_PRECONDITION,
		       "not those of this image's");
	x.cmdline = "quiet";
	/* The ID block is no part of what it names. */
	assert_ok(file_write(path, bytes, make_igvm("quiet", measurement, bytes), 0600, &e), e);
	expect(REFERENCE_SNP, &x, &written, &policy);
	policy_done(&policy);
	writer_done(&written);
	measurement[0] ^= 1;
	assert_ok(file_write(path, bytes, make_igvm("quiet", measurement, bytes), 0600, &e), e);
	assert_refused(reference_policy(REFERENCE_SNP, &x, &w, &e), e, ERR_PRECONDITION,
		       "ID block names another digest");
}

static void what_can_not_be_computed_is_refused(void **state)
{
	char firmware[64];
	struct reference x = { .image = &image,
			       .cmdline = "quiet",
			       .firmware = "/proc/nowhere.fd",
			       .cpus = 1,
			       .cpu_type = "host-passthrough" };
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	struct efi_boot boot;
	struct err e;

	assert_refused(reference_policy(REFERENCE_SNP, &x, &w, &e), e, ERR_NOT_FOUND, "nowhere");
	snprintf(firmware, sizeof(firmware), "%s/firmware.fd", test_folder);
	assert_ok(file_write(firmware, "x", 1, 0600, &e), e);
	x.firmware = firmware;
	assert_refused(reference_policy(REFERENCE_SNP, &x, &w, &e), e, ERR_PRECONDITION,
		       "host-passthrough");
	assert_true(reference_policy(REFERENCE_TDX, &x, &w, &e) < 0);
	x.igvm = true;
	assert_refused(reference_policy(REFERENCE_TDX, &x, &w, &e), e, ERR_PRECONDITION, "IGVM");
	assert_true(reference_policy(REFERENCE_SNP, &x, &w, &e) < 0);
	image.initrd.sha256[0] ^= 1; /* not the file that image.json was read with */
	assert_refused(reference_boot(&image, "quiet", &boot, &e), e, ERR_PRECONDITION, "changed");
	image.initrd.sha256[0] ^= 1;
}

static void a_tee_has_one_name(void **state)
{
	enum reference_tee tee;

	assert_true(reference_tee_of("vtpm", &tee) && tee == REFERENCE_TPM);
	assert_true(reference_tee_of("snp", &tee) && tee == REFERENCE_SNP);
	assert_true(reference_tee_of("tdx", &tee) && tee == REFERENCE_TDX);
	assert_false(reference_tee_of("none", &tee) || reference_tee_of("", &tee));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpms_policy_names_what_the_image_determines),
		cmocka_unit_test(a_policy_names_the_key_exchanges_that_are_asked_for),
		cmocka_unit_test(an_snp_policy_has_the_measurement),
		cmocka_unit_test(a_tdx_policy_leaves_rtmr0_to_be_named),
		cmocka_unit_test(an_igvm_file_has_a_policy_if_it_starts_the_image),
		cmocka_unit_test(what_can_not_be_computed_is_refused),
		cmocka_unit_test(a_tee_has_one_name),
	};

	return cmocka_run_group_tests(tests, make_image, folder_remove);
}
