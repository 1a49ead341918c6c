/* SPDX-License-Identifier: Apache-2.0 */
/* From settings, host and record to the domain and to its policy. */
#include "common/base/writer.h"
#include "manager/launch/launch_policy.h"
#include "manager/launch/tee.h"
#include "tests/unit/folder.h"
#include "tests/vectors.h"

static const struct virt_host nothing = { 0 };
static const struct virt_host here = { .here = true };
static const struct virt_host kvm = { .kvm = true };
static const struct virt_host amd = {
	.kvm = true, .snp = true, .cbitpos = 51, .reduced_phys_bits = 1
};
static const struct virt_host intel = { .kvm = true, .tdx = true };

static void the_host_and_the_settings_choose(void **state)
{
	static const struct {
		enum config_tee wanted;
		bool allow_plain;
		const struct virt_host *host;
		int tee; /* -1: refused */
	} rows[] = {
		{ CONFIG_TEE_NONE, false, &nothing, DOMAIN_PLAIN },
		{ CONFIG_TEE_NONE, false, &amd, DOMAIN_PLAIN },
		{ CONFIG_TEE_AUTO, false, &nothing, -1 },
		{ CONFIG_TEE_AUTO, false, &kvm, -1 },
		{ CONFIG_TEE_AUTO, true, &kvm, DOMAIN_PLAIN },
		{ CONFIG_TEE_AUTO, false, &amd, DOMAIN_SNP },
		{ CONFIG_TEE_AUTO, true, &amd, DOMAIN_SNP },
		{ CONFIG_TEE_AUTO, false, &intel, DOMAIN_TDX },
		{ CONFIG_TEE_SNP, true, &kvm, -1 },
		{ CONFIG_TEE_SNP, true, &intel, -1 },
		{ CONFIG_TEE_SNP, false, &amd, DOMAIN_SNP },
		{ CONFIG_TEE_SIMULATED_SNP, false, &nothing, DOMAIN_SNP },
		{ CONFIG_TEE_SIMULATED_TDX, false, &amd, DOMAIN_TDX },
		{ CONFIG_TEE_TDX, true, &nothing, -1 },
		{ CONFIG_TEE_TDX, true, &amd, -1 },
		{ CONFIG_TEE_TDX, false, &intel, DOMAIN_TDX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config config = { .wanted = rows[i].wanted,
					       .allow_plain = rows[i].allow_plain };
		struct cvm cvm = { 0 };
		struct err e = { 0 };
		int r = tee_choose(&config, CONFIG_TEE_AUTO, rows[i].host, &cvm, &e);

		if (r < 0 ? rows[i].tee != -1 : rows[i].tee != (int)cvm.tee)
			fail_msg("row %zu: %d, %s, %s", i, r, domain_tee_name(cvm.tee), e.text);
		if (r < 0)
			assert_int_equal(e.code, ERR_PRECONDITION);
		else /* the real ones are never without KVM */
			assert_int_equal(cvm_simulated(&cvm), config_simulates(&config));
	}
}

/* What a client asks for is launched or refused: nothing else takes its place. */
static void a_wish_is_granted_or_refused(void **state)
{
	enum { REFUSED = -1, HOST_LACKS_IT = -2 };
	static const struct {
		enum config_tee wanted;
		bool allow_plain;
		enum config_tee wish;
		const struct virt_host *host;
		int tee;
	} rows[] = {
		{ CONFIG_TEE_AUTO, false, CONFIG_TEE_SNP, &amd, DOMAIN_SNP },
		{ CONFIG_TEE_AUTO, true, CONFIG_TEE_SNP, &kvm, HOST_LACKS_IT },
		{ CONFIG_TEE_AUTO, true, CONFIG_TEE_TDX, &amd, HOST_LACKS_IT },
		{ CONFIG_TEE_AUTO, true, CONFIG_TEE_TDX, &intel, DOMAIN_TDX },
		{ CONFIG_TEE_AUTO, false, CONFIG_TEE_NONE, &amd, REFUSED },
		{ CONFIG_TEE_AUTO, true, CONFIG_TEE_NONE, &amd, DOMAIN_PLAIN },
		{ CONFIG_TEE_SNP, true, CONFIG_TEE_NONE, &amd, REFUSED },
		{ CONFIG_TEE_SNP, true, CONFIG_TEE_TDX, &amd, REFUSED },
		{ CONFIG_TEE_SNP, false, CONFIG_TEE_SNP, &amd, DOMAIN_SNP },
		{ CONFIG_TEE_TDX, true, CONFIG_TEE_SNP, &intel, REFUSED },
		{ CONFIG_TEE_NONE, true, CONFIG_TEE_SNP, &amd, REFUSED },
		{ CONFIG_TEE_NONE, false, CONFIG_TEE_NONE, &amd, DOMAIN_PLAIN },
		{ CONFIG_TEE_SIMULATED_SNP, true, CONFIG_TEE_SNP, &nothing, DOMAIN_SNP },
		{ CONFIG_TEE_SIMULATED_SNP, true, CONFIG_TEE_TDX, &nothing, REFUSED },
		{ CONFIG_TEE_SIMULATED_SNP, true, CONFIG_TEE_NONE, &nothing, REFUSED },
		{ CONFIG_TEE_SIMULATED_TDX, true, CONFIG_TEE_TDX, &nothing, DOMAIN_TDX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config config = { .wanted = rows[i].wanted,
					       .tee = (char *)"what is set",
					       .allow_plain = rows[i].allow_plain };
		struct cvm cvm = { 0 };
		struct err e;

		if (rows[i].tee == REFUSED) {
			assert_refused(tee_check_wish(&config, rows[i].wish, &e), e, ERR_INVALID,
				       "MANAGER_");
			continue;
		}
		assert_ok(tee_check_wish(&config, rows[i].wish, &e), e);
		if (rows[i].tee == HOST_LACKS_IT) {
			assert_refused(tee_choose(&config, rows[i].wish, rows[i].host, &cvm, &e), e,
				       ERR_PRECONDITION, "tee: ");
			continue;
		}
		assert_ok(tee_choose(&config, rows[i].wish, rows[i].host, &cvm, &e), e);
		if (rows[i].tee != (int)cvm.tee)
			fail_msg("row %zu: %s", i, domain_tee_name(cvm.tee));
	}
}

static void names_of_processor_and_firmware(void **state)
{
	struct virt_host snp_here = amd;
	struct config config = { .wanted = CONFIG_TEE_NONE };
	struct cvm cvm = { 0 };
	char long_name[CVM_TEXT_MAX + 1];
	struct err e;

	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &nothing, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "maximum");
	assert_string_equal(cvm.firmware, "/usr/share/OVMF/OVMF_CODE_4M.fd");
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &here, &cvm, &e), e);
	assert_string_equal(cvm.firmware, access("/usr/share/OVMF/OVMF_CODE.fd", R_OK) == 0
						  ? "/usr/share/OVMF/OVMF_CODE.fd"
						  : "/usr/share/OVMF/OVMF_CODE_4M.fd");
	config.firmware = (char *)CONFIG_SEABIOS;
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &nothing, &cvm, &e), e);
	assert_string_equal(cvm.firmware, CONFIG_SEABIOS);
	config.firmware = NULL;
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &kvm, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "host-passthrough");
	config.wanted = CONFIG_TEE_AUTO;
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "EPYC-v4");
	assert_string_equal(cvm.firmware, "/usr/share/ovmf/OVMF.amdsev.fd");
	snp_here.here = true;
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &snp_here, &cvm, &e), e);
	assert_string_equal(cvm.firmware, "/usr/share/ovmf/OVMF.amdsev.fd");
	config.cpu_type = (char *)"EPYC-Milan";
	config.igvm = (char *)"/x.igvm";
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "EPYC-Milan");
	assert_string_equal(cvm.firmware, "/x.igvm");
	config.wanted = CONFIG_TEE_NONE;
	assert_refused(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e, ERR_PRECONDITION,
		       "MANAGER_IGVM");
	config.igvm = NULL;
	memset(long_name, 'x', CVM_TEXT_MAX);
	long_name[CVM_TEXT_MAX] = '\0';
	config.cpu_type = long_name;
	assert_refused(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e, ERR_INVALID,
		       "longer");
	config.cpu_type = long_name + 1;
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e);
}

static struct domain_spec filled(const struct config *config, const struct virt_host *host,
				 struct cvm *cvm, struct tee_texts *texts)
{
	struct domain_spec spec = { .name = "n",
				    .uuid = "3b1f8a10-1111-4222-8333-000000000001",
				    .memory_kib = 1024,
				    .cpus = 1,
				    .kernel = "/k",
				    .initrd = "/i",
				    .cmdline = "c",
				    .boot_disk = "/b",
				    .console = "/l" };
	CLEANUP(free) char *xml = NULL;
	struct err e;

	assert_ok(tee_choose(config, CONFIG_TEE_AUTO, host, cvm, &e), e);
	assert_ok(tee_fill(config, host, cvm, &spec, texts, &e), e);
	assert_ok(domain_xml_write(&spec, &xml, &e), e); /* complete */
	return spec;
}

static void the_boot_configuration_is_bound_to_the_launch(void **state)
{
	CLEANUP_TEE_TEXTS struct tee_texts snp_texts = { 0 };
	CLEANUP_TEE_TEXTS struct tee_texts tdx_texts = { 0 };
	CLEANUP(free) uint8_t *bytes = NULL;
	CLEANUP(free) uint8_t *more = NULL;
	const struct config config = { .snp_policy_bits = 0x30000,
				       .tdx_quote_socket = (char *)"/run/qgs" };
	struct cvm cvm = { .boot_sha3_256 = { 1, 2, 3 }, .boot_sha3_384 = { 4, 5, 6 } };
	struct domain_spec spec = filled(&config, &amd, &cvm, &snp_texts);
	size_t len;
	struct err e;

	assert_int_equal(spec.snp.policy, 0x30000);
	assert_int_equal(spec.snp.cbitpos, 51);
	assert_ok(base64_decode(spec.snp.host_data, strlen(spec.snp.host_data), &bytes, &len, &e),
		  e);
	assert_int_equal(len, SHA3_256_LEN);
	assert_memory_equal(bytes, cvm.boot_sha3_256, len);
	spec = filled(&config, &intel, &cvm, &tdx_texts);
	assert_int_equal(spec.tdx.policy, 0x10000000);
	assert_string_equal(spec.tdx.quote_socket, "/run/qgs");
	assert_ok(base64_decode(spec.tdx.mr_config_id, strlen(spec.tdx.mr_config_id), &more, &len,
				&e),
		  e);
	assert_int_equal(len, SHA3_384_LEN);
	assert_memory_equal(more, cvm.boot_sha3_384, len);
}

static void id_blocks_have_their_sizes(void **state)
{
	char block[64], auth[64], bytes[4097] = { 0 };
	struct config config = { .snp_id_block = block, .snp_id_auth = auth };
	struct cvm cvm = { 0 };
	struct err e;

	snprintf(block, sizeof(block), "%s/block", test_folder);
	snprintf(auth, sizeof(auth), "%s/auth", test_folder);
	assert_ok(tee_choose(&config, CONFIG_TEE_AUTO, &amd, &cvm, &e), e);
	for (int off = -1; off <= 1; off++) {
		CLEANUP_TEE_TEXTS struct tee_texts texts = { 0 };
		struct domain_spec spec = { 0 };

		assert_ok(file_write(block, bytes, (size_t)(96 + off), 0600, &e), e);
		assert_ok(file_write(auth, bytes, 4096, 0600, &e), e);
		if (off)
			assert_true(tee_fill(&config, &amd, &cvm, &spec, &texts, &e) < 0);
		else
			assert_ok(tee_fill(&config, &amd, &cvm, &spec, &texts, &e), e);
	}
	for (int off = -1; off <= 1; off += 2) {
		CLEANUP_TEE_TEXTS struct tee_texts texts = { 0 };
		struct domain_spec spec = { 0 };

		assert_ok(file_write(block, bytes, 96, 0600, &e), e);
		assert_ok(file_write(auth, bytes, (size_t)(4096 + off), 0600, &e), e);
		assert_true(tee_fill(&config, &amd, &cvm, &spec, &texts, &e) < 0);
	}
}

/* The manager answers what an owner computes. */
static void an_snp_cvms_policy_is_that_of_its_launch(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	const struct config config = { .snp_policy_bits = 0x30000 };
	struct cvm cvm = { .tee = DOMAIN_SNP, .cpus = 3, .boot_sha3_256 = { 9 } };
	const struct image image = { .kernel.sha256 = { 1 }, .initrd.sha256 = { 2 } };
	struct efi_boot *boot = NULL;
	struct reference owner = { .image = &image,
				   .cmdline = "quiet",
				   .firmware = cvm.firmware,
				   .cpus = 3,
				   .cpu_type = "EPYC-Milan",
				   .smt = true };
	struct err e;

	VECTORS_OR_SKIP();
	snprintf(cvm.firmware, sizeof(cvm.firmware),
		 "%s/snp-measure/fixtures/ovmf_AmdSev_suffix.bin", vectors_folder());
	snprintf(cvm.cpu_type, sizeof(cvm.cpu_type), "EPYC-Milan");
	snprintf(cvm.cmdline, sizeof(cvm.cmdline), "quiet");
	assert_ok(launch_policy_compute(&image, &config, &boot, &cvm, &e), e);
	assert_null(boot); /* nothing to measure there */
	assert_ok(reference_policy(REFERENCE_SNP, &owner, &w, &e), e);
	assert_int_equal(strlen(cvm.expected), w.len);
	assert_memory_equal(cvm.expected, w.bytes, w.len);
	owner.smt = false;
	writer_done(&w);
	w = writer_up_to(REFERENCE_POLICY_MAX);
	assert_ok(reference_policy(REFERENCE_SNP, &owner, &w, &e), e);
	assert_int_not_equal(strlen(cvm.expected), w.len);
}

static void a_plain_cvms_policy_is_measured_once(void **state)
{
	static struct efi_boot given = {
		.banks = { { .kind = DIGEST_SHA256 }, { .kind = DIGEST_SHA384 } }, .kernel_count = 1
	};
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	const struct config config = { .snp_policy_bits = 0x20000 };
	struct cvm cvm = { .tee = DOMAIN_PLAIN,
			   .firmware = REFERENCE_TPM_FIRMWARE,
			   .cmdline = "quiet" };
	const struct image image = { .kernel.path = (char *)"/proc/nowhere/vmlinuz" };
	const struct reference owner = { .image = &image, .cmdline = "quiet", .boot = &given };
	struct efi_boot *boot = &given;
	struct err e;

	assert_ok(launch_policy_compute(&image, &config, &boot, &cvm, &e), e);
	assert_ok(reference_policy(REFERENCE_TPM, &owner, &w, &e), e);
	assert_int_equal(strlen(cvm.expected), w.len);
	assert_memory_equal(cvm.expected, w.bytes, w.len);
	boot = NULL;
	assert_refused(launch_policy_compute(&image, &config, &boot, &cvm, &e), e, ERR_NOT_FOUND,
		       "vmlinuz");
	assert_null(boot);
}

static void what_can_not_be_measured_has_no_policy(void **state)
{
	const struct image image = { .kernel.path = (char *)"/proc/nowhere/vmlinuz" };
	struct config config = { 0 };
	struct cvm cvm = { .tee = DOMAIN_PLAIN, .firmware = CONFIG_SEABIOS };
	struct efi_boot *boot = NULL;
	struct err e;

	assert_refused(launch_policy_compute(&image, &config, &boot, &cvm, &e), e, ERR_PRECONDITION,
		       "SeaBIOS");
	cvm.tee = DOMAIN_SNP;
	snprintf(cvm.firmware, sizeof(cvm.firmware), "/proc/nowhere.fd");
	assert_refused(launch_policy_compute(&image, &config, &boot, &cvm, &e), e, ERR_NOT_FOUND,
		       "nowhere");
	config.igvm = (char *)"/proc/nowhere.igvm";
	cvm.tee = DOMAIN_TDX;
	assert_refused(launch_policy_compute(&image, &config, &boot, &cvm, &e), e, ERR_NOT_FOUND,
		       "vmlinuz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_and_the_settings_choose),
		cmocka_unit_test(a_wish_is_granted_or_refused),
		cmocka_unit_test(names_of_processor_and_firmware),
		cmocka_unit_test(the_boot_configuration_is_bound_to_the_launch),
		cmocka_unit_test(id_blocks_have_their_sizes),
		cmocka_unit_test(an_snp_cvms_policy_is_that_of_its_launch),
		cmocka_unit_test(a_plain_cvms_policy_is_measured_once),
		cmocka_unit_test(what_can_not_be_measured_has_no_policy),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
