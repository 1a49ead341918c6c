/* SPDX-License-Identifier: Apache-2.0 */
/* From settings, host and record to the domain and to the policy that belongs to it. */
#include "tests/vectors.h"

#include "attestation/policy.h"
#include "manager/expected.h"
#include "manager/tee.h"

static const struct virt_host nothing = { 0 };
static const struct virt_host kvm = { .kvm = true };
static const struct virt_host amd = { .kvm = true, .snp = true, .cbitpos = 51,
				      .reduced_phys_bits = 1 };
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
		int r = tee_choose(&config, rows[i].host, &cvm, &e);

		if (r < 0 ? rows[i].tee != -1 : rows[i].tee != (int)cvm.tee)
			fail_msg("row %zu: %d, %s, %s", i, r, domain_tee_name(cvm.tee), e.text);
		if (r < 0)
			assert_int_equal(e.code, ERR_PRECONDITION);
		else /* the real ones are never without KVM */
			assert_int_equal(cvm_simulated(&cvm), config_simulates(&config));
	}
}

static void names_of_processor_and_firmware(void **state)
{
	struct config config = { .wanted = CONFIG_TEE_NONE };
	struct cvm cvm = { 0 };
	char long_name[CVM_TEXT_MAX + 1];
	struct err e;

	assert_ok(tee_choose(&config, &nothing, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "maximum");
	assert_string_equal(cvm.firmware, "SeaBIOS");
	assert_ok(tee_choose(&config, &kvm, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "host-passthrough");
	config.wanted = CONFIG_TEE_AUTO;
	assert_ok(tee_choose(&config, &amd, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "EPYC-v4");
	assert_string_equal(cvm.firmware, "/usr/share/ovmf/OVMF.amdsev.fd");
	config.cpu_type = (char *)"EPYC-Milan";
	config.igvm = (char *)"/x.igvm";
	assert_ok(tee_choose(&config, &amd, &cvm, &e), e);
	assert_string_equal(cvm.cpu_type, "EPYC-Milan");
	assert_string_equal(cvm.firmware, "/x.igvm");
	config.wanted = CONFIG_TEE_NONE;
	assert_refused(tee_choose(&config, &amd, &cvm, &e), e, ERR_PRECONDITION, "MANAGER_IGVM");
	config.igvm = NULL;
	memset(long_name, 'x', CVM_TEXT_MAX);
	long_name[CVM_TEXT_MAX] = '\0';
	config.cpu_type = long_name;
	assert_refused(tee_choose(&config, &amd, &cvm, &e), e, ERR_INVALID, "longer");
	config.cpu_type = long_name + 1;
	assert_ok(tee_choose(&config, &amd, &cvm, &e), e);
}

static struct domain_spec filled(const struct config *config, const struct virt_host *host,
				 struct cvm *cvm, struct tee_texts *texts)
{
	struct domain_spec spec = { .name = "n", .uuid = "3b1f8a10-1111-4222-8333-000000000001",
				    .memory_kib = 1024, .cpus = 1, .kernel = "/k", .initrd = "/i",
				    .cmdline = "c", .env_dir = "/e", .certs_dir = "/c",
				    .console = "/l" };
	CLEANUP(free) char *xml = NULL;
	struct err e;

	assert_ok(tee_choose(config, host, cvm, &e), e);
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
	assert_ok(base64_decode(spec.snp.host_data, strlen(spec.snp.host_data), &bytes, &len, &e), e);
	assert_int_equal(len, SHA3_256_LEN);
	assert_memory_equal(bytes, cvm.boot_sha3_256, len);
	spec = filled(&config, &intel, &cvm, &tdx_texts);
	assert_int_equal(spec.tdx.policy, 0x10000000);
	assert_string_equal(spec.tdx.quote_socket, "/run/qgs");
	assert_ok(base64_decode(spec.tdx.mr_config_id, strlen(spec.tdx.mr_config_id), &more, &len,
				&e), e);
	assert_int_equal(len, SHA3_384_LEN);
	assert_memory_equal(more, cvm.boot_sha3_384, len);
}

static char dir[] = "/tmp/cocos-test-tee-XXXXXX";

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct err e;

	return dir_remove(dir, &e);
}

static void id_blocks_have_their_sizes(void **state)
{
	char block[64], auth[64], bytes[4097] = { 0 };
	struct config config = { .snp_id_block = block, .snp_id_auth = auth };
	struct cvm cvm = { 0 };
	struct err e;

	snprintf(block, sizeof(block), "%s/block", dir);
	snprintf(auth, sizeof(auth), "%s/auth", dir);
	assert_ok(tee_choose(&config, &amd, &cvm, &e), e);
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

static void parse(const char *json, struct policy *policy)
{
	const struct policy_file file = { "expected", json, strlen(json) };
	struct err e;

	assert_ok(policy_parse(&file, 1, policy, &e), e);
}

/* By hand: SHA-256 of 32 zeros and the event. */
static void a_plain_cvms_policy_has_the_first_event(void **state)
{
	const struct image image = { 0 };
	const struct config config = { 0 };
	struct cvm cvm = { .tee = DOMAIN_PLAIN };
	uint8_t block[64] = { 0 }, pcr[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct policy policy;
	struct err e;

	memset(cvm.boot_sha3_256, 7, SHA3_256_LEN);
	memset(block + 32, 7, 32);
	assert_ok(digest(DIGEST_SHA256, block, sizeof(block), pcr, &e), e);
	hex_encode(pcr, sizeof(pcr), hex);
	assert_ok(expected_compute(&image, &config, &cvm, &e), e);
	assert_non_null(strstr(cvm.expected, hex));
	parse(cvm.expected, &policy);
	assert_true(policy.has_tpm && !policy.has_snp && !policy.has_tdx);
	assert_int_equal(policy.tpm.count, 4); /* PCR14 and PCR16, in both banks */
	policy_done(&policy);
}

/* Rows of the shared launch measurements: kernel, initrd and command line as a manager has them. */
static void an_snp_cvms_policy_has_the_measurement(void **state)
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
		const struct config config = { .snp_policy_bits = i ? 0x30000 : 0x20000 };
		struct cvm cvm = { .tee = DOMAIN_SNP, .cpus = rows[i].cpus, .boot_sha3_256 = { 9 } };
		struct image image = { 0 };
		struct policy policy;

		snprintf(path, sizeof(path), "%s/snp-measure/fixtures/%s", vectors_folder(),
			 rows[i].kernel);
		assert_ok(digest_file(DIGEST_SHA256, path, image.kernel.sha256, &e), e);
		snprintf(path, sizeof(path), "%s/snp-measure/fixtures/%s", vectors_folder(),
			 rows[i].initrd);
		assert_ok(digest_file(DIGEST_SHA256, path, image.initrd.sha256, &e), e);
		snprintf(cvm.firmware, sizeof(cvm.firmware), "%s/snp-measure/fixtures/%s",
			 vectors_folder(), rows[i].firmware);
		snprintf(cvm.cpu_type, sizeof(cvm.cpu_type), "%s", rows[i].cpu_type);
		snprintf(cvm.cmdline, sizeof(cvm.cmdline), "%s", rows[i].cmdline);
		assert_ok(expected_compute(&image, &config, &cvm, &e), e);
		assert_non_null(strstr(cvm.expected, rows[i].measurement));
		parse(cvm.expected, &policy);
		assert_true(policy.has_snp && !policy.has_tpm && !policy.has_tdx);
		assert_int_equal(strstr(cvm.expected, "smt") != NULL, i);
		policy_done(&policy);
	}
}

static void what_can_not_be_measured_has_no_policy(void **state)
{
	const struct image image = { 0 };
	struct config config = { 0 };
	struct cvm cvm = { .tee = DOMAIN_SNP, .cpus = 1, .cpu_type = "host-passthrough" };
	char path[64];
	struct err e;

	snprintf(cvm.firmware, sizeof(cvm.firmware), "/nonexistent.fd");
	assert_refused(expected_compute(&image, &config, &cvm, &e), e, ERR_NOT_FOUND, "nonexistent");
	snprintf(path, sizeof(path), "%s/firmware.fd", dir);
	snprintf(cvm.firmware, sizeof(cvm.firmware), "%s", path);
	assert_ok(file_write(path, "x", 1, 0600, &e), e);
	assert_refused(expected_compute(&image, &config, &cvm, &e), e, ERR_PRECONDITION,
		       "host-passthrough");
	cvm.tee = DOMAIN_TDX;
	assert_true(expected_compute(&image, &config, &cvm, &e) < 0);
	config.igvm = path;
	assert_refused(expected_compute(&image, &config, &cvm, &e), e, ERR_PRECONDITION, "IGVM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_and_the_settings_choose),
		cmocka_unit_test(names_of_processor_and_firmware),
		cmocka_unit_test(the_boot_configuration_is_bound_to_the_launch),
		cmocka_unit_test(id_blocks_have_their_sizes),
		cmocka_unit_test(a_plain_cvms_policy_has_the_first_event),
		cmocka_unit_test(an_snp_cvms_policy_has_the_measurement),
		cmocka_unit_test(what_can_not_be_measured_has_no_policy),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
