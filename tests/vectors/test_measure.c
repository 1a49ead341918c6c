/* SPDX-License-Identifier: Apache-2.0 */
/* Every launch measurement of the shared vectors: digests, VMSAs, traces, CPU types, ID block. */
#include "attestation/measure/snp_measure.h"
#include "attestation/snp/idblock.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/vectors/case.h"
#include "tests/vectors/table.h"

#include <inttypes.h>
#include <stdio.h>

enum { FILES_MAX = 8 };

struct run {
	struct snp_measure m;
	struct span files[FILES_MAX];
	size_t file_count;
	uint8_t ovmf_hash[SNP_DIGEST_LEN];
	struct table *steps;
};

static char folder[600], fixtures[640];

static bool find_folder(void)
{
	const char *vectors = case_vectors();

	if (!vectors)
		return false;
	snprintf(folder, sizeof(folder), "%s/snp-measure", vectors);
	snprintf(fixtures, sizeof(fixtures), "%s/fixtures", folder);
	return true;
}

static struct span fixture(struct run *r, const char *name)
{
	assert_true(r->file_count < FILES_MAX);
	return r->files[r->file_count++] = table_file(fixtures, name);
}

static void run_done(struct run *r)
{
	for (size_t i = 0; i < r->file_count; i++)
		free((void *)(uintptr_t)r->files[i].bytes);
}

static void hash_fixture(struct run *r, const char *name, uint8_t out[SHA256_LEN])
{
	struct span file = { 0 };
	struct err e;

	if (*name)
		file = fixture(r, name);
	assert_ok(digest(DIGEST_SHA256, file.bytes, file.len, out, &e), e);
}

static void set_kernel(struct run *r, const char *kernel, const char *initrd, const char *append)
{
	struct json *text = NULL;
	struct err e;

	r->m.has_kernel = *kernel;
	if (!*kernel)
		return;
	hash_fixture(r, kernel, r->m.kernel);
	hash_fixture(r, initrd, r->m.initrd);
	if (*append)
		assert_ok(json_parse(append, strlen(append), &text, &e), e);
	assert_ok(snp_measure_cmdline(text ? text->text : "", r->m.cmdline, &e), e);
	json_free(text);
}

static void set_case(struct run *r, const struct table *t)
{
	const char *vmm = table_cell(t, "vmm_type"), *hash = table_cell(t, "ovmf_hash");
	const char *type = table_cell(t, "vcpu_type"), *svsm = table_cell(t, "svsm");
	uint32_t by_type;
	struct err e;

	memset(r, 0, sizeof(*r));
	assert_true(snp_measure_mode_of(table_cell(t, "mode"), &r->m.mode));
	assert_true(vmsa_vmm_of(*vmm ? vmm : "QEMU", &r->m.vmm));
	r->m.vcpus = (unsigned)strtoul(table_cell(t, "vcpus"), NULL, 10);
	r->m.vcpu_signature = (uint32_t)strtoul(table_cell(t, "vcpu_sig"), NULL, 16);
	if (*type) {
		assert_true(vmsa_cpu_type(type, &by_type));
		assert_int_equal(by_type, r->m.vcpu_signature);
	}
	r->m.guest_features = strtoull(table_cell(t, "guest_features"), NULL, 16);
	r->m.ovmf = fixture(r, table_cell(t, "ovmf"));
	set_kernel(r, table_cell(t, "kernel"), table_cell(t, "initrd"), table_cell(t, "append"));
	if (*hash) {
		assert_ok(hex_decode(hash, r->ovmf_hash, SNP_DIGEST_LEN, &e), e);
		r->m.ovmf_hash = r->ovmf_hash;
	}
	if (*svsm)
		r->m.svsm = fixture(r, svsm);
	r->m.vars_size = strtoull(table_cell(t, "vars_size"), NULL, 10);
}

static void every_case_has_its_digest(void **state)
{
	uint8_t out[SNP_MEASURE_LEN_MAX];
	char path[700], hex[2 * SNP_MEASURE_LEN_MAX + 1];
	unsigned digests = 0, errors = 0;
	struct table t;
	struct run r;
	struct err e;
	size_t len;

	if (!find_folder())
		skip();
	snprintf(path, sizeof(path), "%s/cases.tsv", folder);
	table_open(&t, path);
	while (table_row(&t)) {
		const char *expected = table_cell(&t, "expected");
		bool refused;

		set_case(&r, &t);
		refused = snp_measure(&r.m, out, &len, &e) < 0;
		if (refused != (strncmp(expected, "error:", 6) == 0))
			fail_msg("%s: %s", table_cell(&t, "id"), refused ? e.text : "no error");
		if (!refused) {
			hex_encode(out, len, hex);
			if (strcmp(hex, expected) != 0)
				fail_msg("%s: %s, wanted %s", table_cell(&t, "id"), hex, expected);
		}
		errors += refused;
		digests += !refused;
		run_done(&r);
	}
	table_done(&t);
	print_message("# %u digests, %u errors\n", digests, errors);
	assert_int_equal(digests + errors, 93);
}

/* "011:f09b 014:ffff" into a page. */
static void fill_page(const char *runs, uint8_t page[SNP_PAGE_LEN])
{
	char copy[2048], *rest = copy;
	uint8_t bytes[64];
	struct err e;
	size_t len;

	memset(page, 0, SNP_PAGE_LEN);
	snprintf(copy, sizeof(copy), "%s", runs);
	for (char *run; (run = strsep(&rest, " "));) {
		char *hex;
		unsigned long at = strtoul(run, &hex, 16);

		assert_int_equal(*hex, ':');
		assert_ok(hex_decode_up_to(hex + 1, bytes, sizeof(bytes), &len, &e), e);
		memcpy(page + at, bytes, len);
	}
}

static void every_vmsa_is_byte_for_byte_the_same(void **state)
{
	uint8_t wanted[SNP_PAGE_LEN], made[SNP_PAGE_LEN], hash[SNP_DIGEST_LEN];
	char path[700], hex[2 * SNP_DIGEST_LEN + 1];
	const uint32_t reset = 0x80b004, signature = 0x800f12;
	enum vmsa_vmm vmm;
	unsigned pages = 0;
	struct table t;
	struct err e;

	if (!find_folder())
		skip();
	snprintf(path, sizeof(path), "%s/vmsa.tsv", folder);
	table_open(&t, path);
	while (table_row(&t)) {
		bool boot = strcmp(table_cell(&t, "vcpu"), "0") == 0;

		fill_page(table_cell(&t, "bytes"), wanted);
		if (vmsa_vmm_of(table_cell(&t, "vmm"), &vmm))
			vmsa_make(vmm, boot ? VMSA_BOOT_EIP : reset, signature, 0x21, made);
		else
			vmsa_make_svsm(reset, signature, made);
		assert_memory_equal(made, wanted, SNP_PAGE_LEN);
		assert_ok(digest(DIGEST_SHA384, made, SNP_PAGE_LEN, hash, &e), e);
		hex_encode(hash, SNP_DIGEST_LEN, hex);
		assert_string_equal(hex, table_cell(&t, "sha384"));
		pages++;
	}
	table_done(&t);
	assert_int_equal(pages, 8);
}

static void compare_step(void *data, const struct snp_step *step)
{
	struct run *r = data;
	char text[2 * SNP_DIGEST_LEN + 1];

	assert_true(table_row(r->steps));
	assert_int_equal(step->number, strtoul(table_cell(r->steps, "step"), NULL, 10));
	assert_string_equal(snp_page_type_name(step->type), table_cell(r->steps, "type"));
	snprintf(text, sizeof(text), "0x%" PRIx64, step->gpa);
	assert_string_equal(text, table_cell(r->steps, "gpa"));
	hex_encode(step->contents, SNP_DIGEST_LEN, text);
	assert_string_equal(text, table_cell(r->steps, "contents_sha384"));
	hex_encode(step->digest, SNP_DIGEST_LEN, text);
	assert_string_equal(text, table_cell(r->steps, "digest_after"));
}

static void run_trace(struct run *r, const char *name)
{
	uint8_t out[SNP_MEASURE_LEN_MAX];
	char path[700];
	struct table t;
	struct err e;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	table_open(&t, path);
	r->steps = &t;
	r->m.trace = compare_step;
	r->m.data = r;
	assert_ok(snp_measure(&r->m, out, &len, &e), e);
	assert_false(table_row(&t));
	table_done(&t);
	run_done(r);
}

static void every_step_of_the_traces_is_the_same(void **state)
{
	uint8_t table[SNP_HASHES_TABLE_LEN];
	char hex[2 * SNP_HASHES_TABLE_LEN + 1];
	struct run r = { 0 };
	struct span text;

	if (!find_folder())
		skip();
	r.m = (struct snp_measure){ .vcpus = 2,
				    .vcpu_signature = 0x800f12,
				    .guest_features = 0x21 };
	r.m.ovmf = fixture(&r, "ovmf_AmdSev_suffix.bin");
	set_kernel(&r, "kernel-4096.bin", "initrd-777.bin", "\"console=ttyS0\"");
	snp_measure_hashes(&r.m, table);
	hex_encode(table, sizeof(table), hex);
	text = table_file(folder, "hash-table.hex");
	assert_memory_equal(text.bytes, hex, strlen(hex));
	free((void *)(uintptr_t)text.bytes);
	run_trace(&r, "pages-snp-2vcpu-kernel.tsv");

	r = (struct run){ 0 };
	r.m = (struct snp_measure){
		.vcpus = 2, .vcpu_signature = 0xa00f11, .guest_features = 1, .vmm = VMSA_EC2
	};
	r.m.ovmf = fixture(&r, "ovmf_synth_16k.bin");
	run_trace(&r, "pages-snp-ec2.tsv");

	r = (struct run){ 0 };
	r.m = (struct snp_measure){ .mode = SNP_MEASURE_SVSM,
				    .vcpus = 2,
				    .vcpu_signature = 0xa10f10,
				    .vars_size = 131072 };
	r.m.ovmf = fixture(&r, "ovmf_synth_16k.bin");
	r.m.svsm = fixture(&r, "svsm_synth.bin");
	run_trace(&r, "pages-snp-svsm-synth.tsv");
}

static void every_cpu_type_has_its_signature(void **state)
{
	unsigned types = 0;
	char path[700];
	struct table t;

	if (!find_folder())
		skip();
	snprintf(path, sizeof(path), "%s/cpu_types.tsv", folder);
	table_open(&t, path);
	while (table_row(&t)) {
		unsigned long wanted = strtoul(table_cell(&t, "signature"), NULL, 16);
		uint32_t by_type;

		assert_int_equal(vmsa_cpu_signature((unsigned)atoi(table_cell(&t, "family")),
						    (unsigned)atoi(table_cell(&t, "model")),
						    (unsigned)atoi(table_cell(&t, "stepping"))),
				 wanted);
		if (table_cell(&t, "type")[0] == '(')
			continue;
		assert_true(vmsa_cpu_type(table_cell(&t, "type"), &by_type));
		assert_int_equal(by_type, wanted);
		types++;
	}
	table_done(&t);
	assert_null(vmsa_cpu_type_name(types));
}

static EVP_PKEY *public_key(const char *name)
{
	struct span pem = table_file(folder, name);
	EVP_PKEY *key = NULL;
	struct err e;

	assert_ok(key_from_public_pem((const char *)pem.bytes, pem.len, &key, &e), e);
	free((void *)(uintptr_t)pem.bytes);
	return key;
}

static size_t hex_member(const struct json *json, const char *name, uint8_t *out, size_t max)
{
	size_t len;
	struct err e;

	assert_ok(hex_decode_up_to(json_get(json, name)->text, out, max, &len, &e), e);
	return len;
}

static void the_id_block_of_the_peer_is_understood(void **state)
{
	uint8_t block[IDBLOCK_LEN], auth[IDAUTH_LEN], wanted[SNP_DIGEST_LEN], made[IDBLOCK_LEN];
	struct idblock fields = { .policy = 0x30000 };
	struct json *json;
	struct span text;
	bool author;
	struct err e;

	if (!find_folder())
		skip();
	text = table_file(folder, "id_block.json");
	assert_ok(json_parse(text.bytes, text.len, &json, &e), e);
	hex_member(json, "measurement", fields.measurement, SNP_DIGEST_LEN);
	hex_member(json, "id_block", block, sizeof(block));
	assert_int_equal(hex_member(json, "id_auth", auth, sizeof(auth)), IDAUTH_LEN);
	idblock_write(&fields, made);
	assert_memory_equal(made, block, IDBLOCK_LEN);
	assert_ok(idblock_verify((struct span){ block, sizeof(block) },
				 (struct span){ auth, sizeof(auth) }, &author, &e),
		  e);
	assert_true(author);
	for (int i = 0; i < 2; i++) {
		EVP_PKEY *key = public_key(json_get(json, i ? "author_key" : "id_key")->text);

		hex_member(json, i ? "author_key_digest" : "id_key_digest", wanted, sizeof(wanted));
		assert_ok(idblock_key_digest(key, made, &e), e);
		assert_memory_equal(made, wanted, SNP_DIGEST_LEN);
		EVP_PKEY_free(key);
	}
	json_free(json);
	free((void *)(uintptr_t)text.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_has_its_digest),
		cmocka_unit_test(every_vmsa_is_byte_for_byte_the_same),
		cmocka_unit_test(every_step_of_the_traces_is_the_same),
		cmocka_unit_test(every_cpu_type_has_its_signature),
		cmocka_unit_test(the_id_block_of_the_peer_is_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
