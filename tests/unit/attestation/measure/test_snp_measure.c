/* SPDX-License-Identifier: Apache-2.0 */
/* Launch measurements of small images made here; the published ones are in tests/vectors. */
#include "attestation/measure/igvm_measure.h"
#include "attestation/measure/snp_measure.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "tests/forge/firmware.h"
#include "tests/unit.h"

#include <stdio.h>

enum { IMAGE = FORGE_FIRMWARE_LEN, TABLE_END = FORGE_FIRMWARE_TABLE_END };

static uint8_t image[IMAGE];

static struct span image_span(void)
{
	return (struct span){ image, sizeof(image) };
}

static int parse_image(struct ovmf *o, struct err *e)
{
	return ovmf_parse(image_span(), o, e);
}

static void the_table_of_a_firmware_is_read(void **state)
{
	struct ovmf o;
	struct err e;

	forge_firmware(image);
	assert_ok(parse_image(&o, &e), e);
	assert_true(o.has_reset && o.reset_eip == 0x80b004 && o.hashes_gpa == 0x810c00);
	assert_false(o.has_svsm);
	assert_int_equal(o.section_count, forge_firmware_section_count);
	assert_true(ovmf_has_section(&o, OVMF_KERNEL_HASHES));
	image[TABLE_END - 1] ^= 1; /* no footer: an image without a table */
	assert_ok(parse_image(&o, &e), e);
	assert_false(o.has_reset);
	assert_int_equal(o.section_count, 0);
}

static void a_malformed_firmware_is_refused(void **state)
{
	static const struct forge_section bad[] = { { 0x800001, 0x1000, 1 },
						    { 0x800000, 0x1001, 1 },
						    { 0x800000, 0, 1 },
						    { 0x800000, 0x1000, 5 },
						    { 0xfffff000, 0x2000, 1 } };
	struct ovmf o;
	struct err e;

	forge_firmware(image);
	bytes_put_le(image + TABLE_END - 18 - 18, 17, 2); /* an entry shorter than its own tail */
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "table");
	forge_firmware(image);
	bytes_put_le(image + TABLE_END - 18 - 18, 0x4000, 2); /* longer than the image */
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "table");
	/* The table itself is longer than what stands before it; one shorter than its tail is none. */
	forge_firmware(image);
	bytes_put_le(image + TABLE_END - 18, TABLE_END + 1, 2);
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "a table of");
	bytes_put_le(image + TABLE_END - 18, 17, 2);
	assert_ok(parse_image(&o, &e), e);
	assert_false(o.has_reset);
	forge_firmware(image);
	memcpy(image + TABLE_END - 18 - 22 - 16, forge_firmware_reset, 16);
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "twice");
	forge_firmware(image);
	bytes_put_le(image + IMAGE - 1024 + 8, 2, 4);
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "version 2");
	forge_firmware(image);
	bytes_put_le(image + IMAGE - 1024 + 12, OVMF_SECTIONS_MAX + 1, 4);
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "65 sections");
	forge_firmware(image);
	bytes_put_le(image + TABLE_END - 18 - 2 * 22 - 22, IMAGE + 1, 4);
	assert_refused(parse_image(&o, &e), e, ERR_INVALID, "outside");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		forge_firmware(image);
		forge_firmware_metadata(image, &bad[i], 1);
		assert_ok(parse_image(&o, &e), e);
		assert_refused(ovmf_check_sections(&o, &e), e, ERR_INVALID, "section");
	}
	for (uint32_t more = 0; more < 2; more++) {
		const struct forge_section large[] = { { 0, OVMF_SECTIONS_BYTES_MAX - 0x1000, 1 },
						       { 0xe0000000, 0x1000 + 0x1000 * more, 1 } };

		forge_firmware(image);
		forge_firmware_metadata(image, large, 2);
		assert_ok(parse_image(&o, &e), e);
		assert_int_equal(ovmf_check_sections(&o, &e), more ? -ERR_INVALID : 0);
	}
	assert_int_equal(ovmf_parse((struct span){ image, 0 }, &o, &e), -ERR_INVALID);
	assert_int_equal(ovmf_parse((struct span){ image, OVMF_IMAGE_MIN - 1 }, &o, &e),
			 -ERR_INVALID);
	memset(image, 0, OVMF_IMAGE_MIN);
	assert_ok(ovmf_parse((struct span){ image, OVMF_IMAGE_MIN }, &o, &e), e);
}

/* From the front, since the table lies at the end. */
static void every_truncation_of_a_firmware_ends_well(void **state)
{
	struct ovmf o;
	struct err e;

	forge_firmware(image);
	for (size_t len = 1; len <= sizeof(image); len++) {
		uint8_t *exact = malloc(len);

		memcpy(exact, image + sizeof(image) - len, len);
		if (ovmf_parse((struct span){ exact, len }, &o, &e) < 0)
			assert_int_equal(e.code, ERR_INVALID);
		free(exact);
	}
}

/* Against a chain that is computed here step by step. */
struct chain {
	uint8_t digest[SNP_DIGEST_LEN];
	size_t steps;
};

static void compare(void *data, const struct snp_step *step)
{
	struct chain *chain = data;
	uint8_t info[0x70] = { 0 };
	struct err e;

	memcpy(info, chain->digest, 48);
	memcpy(info + 48, step->contents, 48);
	info[96] = 0x70;
	info[98] = (uint8_t)step->type;
	bytes_put_le(info + 104, step->gpa, 8);
	assert_ok(digest(DIGEST_SHA384, info, sizeof(info), chain->digest, &e), e);
	assert_memory_equal(chain->digest, step->digest, 48);
	assert_int_equal(step->number, chain->steps++);
}

static void measure(const struct snp_measure *m, const char *wanted)
{
	uint8_t out[SNP_MEASURE_LEN_MAX];
	char hex[2 * SNP_MEASURE_LEN_MAX + 1];
	struct err e;
	size_t len;

	assert_ok(snp_measure(m, out, &len, &e), e);
	hex_encode(out, len, hex);
	assert_string_equal(hex, wanted);
}

static void set_kernel(struct snp_measure *m)
{
	struct err e;

	m->has_kernel = true;
	assert_ok(digest(DIGEST_SHA256, "kernel", 6, m->kernel, &e), e);
	assert_ok(digest(DIGEST_SHA256, NULL, 0, m->initrd, &e), e);
	assert_ok(snp_measure_cmdline("quiet", m->cmdline, &e), e);
}

static void measurements_of_a_small_image(void **state)
{
	struct chain chain = { 0 };
	struct snp_measure m = { .vcpus = 3,
				 .vcpu_signature = 0xa00f11,
				 .guest_features = 1,
				 .trace = compare,
				 .data = &chain };

	forge_firmware(image);
	m.ovmf = image_span();
	measure(&m,
		"e9fe68f210ef07c78a13f5cb0a06d9e45c2daee8bd4648ec714266599f3c35aede62563fa3f9a83be360f651aa94cd80");
	assert_int_equal(chain.steps, 2 + 2 + 4 + 3);
	chain = (struct chain){ 0 };
	set_kernel(&m);
	measure(&m,
		"608535984d2a98b1e52ce1936f80b04b2728dc07b3c67e52b252d0220428029e92d53d5902c3fabb0032937ae61d51a1");
	m.mode = SNP_MEASURE_SEVES;
	measure(&m, "8654b3f837d3ceba6b809d065539410f99b83744e447a75614421b1f835f45e4");
	m.mode = SNP_MEASURE_SEV;
	measure(&m, "16fa4fc1653d05fc367f2d1f6a565a38037abf3305cf679a97062dbf9348ef03");
}

static void a_given_firmware_hash_stands_for_its_pages(void **state)
{
	uint8_t whole[SNP_MEASURE_LEN_MAX], by_hash[SNP_MEASURE_LEN_MAX], first[SNP_DIGEST_LEN];
	struct snp_measure m = { .vcpus = 2, .vcpu_signature = 1 };
	struct err e;
	size_t len;

	forge_firmware(image);
	m.ovmf = image_span();
	assert_ok(snp_measure(&m, whole, &len, &e), e);
	m.mode = SNP_MEASURE_OVMF_HASH;
	assert_ok(snp_measure(&m, first, &len, &e), e);
	m.mode = SNP_MEASURE_SNP;
	m.ovmf_hash = first;
	assert_ok(snp_measure(&m, by_hash, &len, &e), e);
	assert_memory_equal(whole, by_hash, SNP_DIGEST_LEN);
}

static void what_can_t_be_launched_is_not_measured(void **state)
{
	uint8_t out[SNP_MEASURE_LEN_MAX];
	struct snp_measure m = { .vcpus = 1 };
	struct err e;
	size_t len;

	forge_firmware(image);
	m.ovmf = (struct span){ image + 1, sizeof(image) - 1 };
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "whole pages");
	m.ovmf = image_span();
	m.vcpus = 0;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "0 processors");
	m.vcpus = SNP_MEASURE_VCPUS_MAX + 1;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "processors");
	m.vcpus = SNP_MEASURE_VCPUS_MAX;
	assert_ok(snp_measure(&m, out, &len, &e), e);
	m.vcpus = 1;
	set_kernel(&m);
	/* The table would leave its page. */
	bytes_put_le(image + TABLE_END - 18 - 22 - 22, 0x810fff, 4);
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "hashes table");
	bytes_put_le(image + TABLE_END - 18 - 22 - 22, 0x811c00, 4);
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "hashes table");
	forge_firmware(image);
	forge_firmware_metadata(image, forge_firmware_sections, forge_firmware_section_count - 1);
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "no section");
	m.has_kernel = false;
	memcpy(image + TABLE_END - 18 - 16, "no reset here..", 16);
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "reset block");
	m.mode = SNP_MEASURE_SVSM;
	m.svsm = image_span();
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "SVSM");
}

/* SEV and SEV-ES hash the image, and nothing is launched by its sections; SEV-SNP launches them. */
static void sections_count_where_they_are_launched(void **state)
{
	static const struct forge_section unknown = { 0x800000, 0x1000, 7 };
	uint8_t out[SNP_MEASURE_LEN_MAX];
	struct snp_measure m = { .vcpus = 1, .vcpu_signature = 1 };
	struct err e;
	size_t len;

	forge_firmware(image);
	forge_firmware_metadata(image, &unknown, 1);
	m.ovmf = image_span();
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "type 7");
	for (m.mode = SNP_MEASURE_SEV; m.mode <= SNP_MEASURE_SEVES; m.mode++)
		assert_ok(snp_measure(&m, out, &len, &e), e);
	m.mode = SNP_MEASURE_OVMF_HASH;
	assert_ok(snp_measure(&m, out, &len, &e), e);
}

/* Both images are read, and only QEMU launches an SVSM. */
static void an_svsm_is_launched_by_qemu_with_a_firmware(void **state)
{
	static const uint8_t svsm_guid[16] = { 0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c,
					       0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd };
	static uint8_t svsm[IMAGE];
	uint8_t out[SNP_MEASURE_LEN_MAX];
	struct snp_measure m = { .mode = SNP_MEASURE_SVSM, .vcpus = 1 };
	struct err e;
	size_t len;

	forge_firmware(svsm);
	memcpy(svsm + TABLE_END - 18 - 16, svsm_guid, 16); /* in the place of the reset block */
	forge_firmware(image);
	m.ovmf = image_span();
	m.svsm = (struct span){ svsm, sizeof(svsm) };
	assert_ok(snp_measure(&m, out, &len, &e), e);
	m.vmm = VMSA_EC2;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "QEMU");
	m.vmm = VMSA_GCE;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "QEMU");
	m.vmm = VMSA_QEMU;
	bytes_put_le(image + IMAGE - 1024 + 8, 2, 4);
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "version 2");
	m.ovmf.len = 0;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_INVALID, "0 bytes");
}

static int count_vmsa(void *data, unsigned vcpu, const uint8_t page[SNP_PAGE_LEN], struct err *e)
{
	unsigned *count = data;

	assert_int_equal(vcpu, *count);
	++*count;
	return vcpu == 2 ? err_set(e, ERR_UNAVAILABLE, "disk full") : 0;
}

static void each_vmsa_is_handed_out(void **state)
{
	uint8_t out[SNP_MEASURE_LEN_MAX];
	unsigned count = 0;
	struct snp_measure m = { .vcpus = 2, .vmsa = count_vmsa, .data = &count };
	struct err e;
	size_t len;

	forge_firmware(image);
	m.ovmf = image_span();
	assert_ok(snp_measure(&m, out, &len, &e), e);
	assert_int_equal(count, 2);
	count = 0;
	m.vcpus = 9;
	assert_refused(snp_measure(&m, out, &len, &e), e, ERR_UNAVAILABLE, "disk full");
}

/* An IGVM file of one platform, one page and one VMSA. */
static uint8_t igvm_file[24 + 24 + 32 + 32 + 2 * 4096];

static uint32_t crc32_of(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;

		crc = crc >> 1 ^ (bit ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void sign_igvm(void)
{
	bytes_put_le(igvm_file + 20, 0, 4);
	bytes_put_le(igvm_file + 20, crc32_of(igvm_file, 24 + 88), 4);
}

static void make_igvm(void)
{
	uint8_t *h = igvm_file + 24;

	memset(igvm_file, 0, sizeof(igvm_file));
	memcpy(igvm_file, "IGVM", 4);
	bytes_put_le(igvm_file + 4, 1, 4);
	bytes_put_le(igvm_file + 8, 24, 4);
	bytes_put_le(igvm_file + 12, 88, 4);
	bytes_put_le(igvm_file + 16, sizeof(igvm_file), 4);
	bytes_put_le(h, 0x1, 4);
	bytes_put_le(h + 4, 16, 4);
	bytes_put_le(h + 8, 1, 4);
	h[13] = IGVM_SEV_SNP;
	bytes_put_le(h + 14, 1, 2);
	h += 24;
	bytes_put_le(h, 0x302, 4);
	bytes_put_le(h + 4, 24, 4);
	bytes_put_le(h + 8, 0x1000, 8);
	bytes_put_le(h + 16, 1, 4);
	bytes_put_le(h + 20, 24 + 88, 4);
	h += 32;
	bytes_put_le(h, 0x304, 4);
	bytes_put_le(h + 4, 20, 4);
	bytes_put_le(h + 8, SNP_VMSA_GPA, 8);
	bytes_put_le(h + 16, 1, 4);
	bytes_put_le(h + 20, 24 + 88 + 4096, 4);
	memset(igvm_file + 24 + 88, 0x77, 4096);
	igvm_file[24 + 88 + 4096 + 0x158] = 0x31;
	sign_igvm();
}

static bool measure_igvm(size_t len, const struct igvm_measure *how, char *hex, struct err *e)
{
	uint8_t *exact = malloc(len ? len : 1), out[SNP_DIGEST_LEN];
	enum igvm_id_block id_block;
	struct igvm igvm;
	bool good;

	memcpy(exact, igvm_file, len);
	good = igvm_open((struct span){ exact, len }, &igvm, e) == 0 &&
	       igvm_measure(&igvm, how, out, &(size_t){ 0 }, &id_block, e) == 0;
	if (good)
		hex_encode(out, sizeof(out), hex);
	free(exact);
	return good;
}

static void an_igvm_file_is_measured_whole_or_not_at_all(void **state)
{
	struct igvm_measure how = { .platform = IGVM_SEV_SNP, .check_kvm = true };
	char hex[2 * SNP_DIGEST_LEN + 1] = "", first[sizeof(hex)];
	struct err e;

	make_igvm();
	if (!measure_igvm(sizeof(igvm_file), &how, hex, &e))
		fail_msg("%s", e.text);
	assert_string_equal(
		hex,
		"8df6d742d9f0628ef8cdc8235c915f6b15b3d7a0c3a0f1040280b4a85b6a4e107a0f98e1c624f53e4026ac78ceda676d");
	memcpy(first, hex, sizeof(hex));
	for (size_t len = 0; len < sizeof(igvm_file); len++)
		if (measure_igvm(len, &how, hex, &e))
			fail_msg("cut at %zu it is taken", len);
	/* A byte of the headers is covered by the checksum, one of the data by the digest. */
	for (size_t i = 0; i < sizeof(igvm_file); i += i < 112 ? 1 : 61) {
		igvm_file[i] ^= 0x40;
		if (measure_igvm(sizeof(igvm_file), &how, hex, &e) && strcmp(hex, first) == 0)
			fail_msg("byte %zu counts for nothing", i);
		igvm_file[i] ^= 0x40;
	}
	how.platform = IGVM_SEV_ES;
	assert_false(measure_igvm(sizeof(igvm_file), &how, hex, &e));
}

static void the_rules_of_kvm_are_checked_when_asked(void **state)
{
	struct igvm_measure how = { .platform = IGVM_SEV_SNP };
	char hex[2 * SNP_DIGEST_LEN + 1];
	struct err e;

	make_igvm();
	igvm_file[24 + 88 + 4096 + 0x158] = 0x10;
	assert_true(measure_igvm(sizeof(igvm_file), &how, hex, &e));
	how.check_kvm = true;
	assert_false(measure_igvm(sizeof(igvm_file), &how, hex, &e));
	assert_non_null(strstr(e.text, "CR0"));
	make_igvm();
	bytes_put_le(igvm_file + 24 + 56 + 8, 0x5000, 8);
	sign_igvm();
	assert_false(measure_igvm(sizeof(igvm_file), &how, hex, &e));
	assert_non_null(strstr(e.text, "VMSA at 0x5000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_a_firmware_is_read),
		cmocka_unit_test(a_malformed_firmware_is_refused),
		cmocka_unit_test(every_truncation_of_a_firmware_ends_well),
		cmocka_unit_test(measurements_of_a_small_image),
		cmocka_unit_test(a_given_firmware_hash_stands_for_its_pages),
		cmocka_unit_test(what_can_t_be_launched_is_not_measured),
		cmocka_unit_test(sections_count_where_they_are_launched),
		cmocka_unit_test(an_svsm_is_launched_by_qemu_with_a_firmware),
		cmocka_unit_test(each_vmsa_is_handed_out),
		cmocka_unit_test(an_igvm_file_is_measured_whole_or_not_at_all),
		cmocka_unit_test(the_rules_of_kvm_are_checked_when_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
