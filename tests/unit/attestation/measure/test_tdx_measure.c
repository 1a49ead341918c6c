/* SPDX-License-Identifier: Apache-2.0 */
/* TDX metadata of firmware, and the MRTD that follows: a small image of our own, and OVMF. */
#include "attestation/measure/tdx_measure.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <stdio.h>

enum { IMAGE_LEN = 0x3000, DESCRIPTOR_AT = 0x2000 };

/* Little-endian fields of one section, as they lie in the image. */
struct section {
	uint32_t offset, size;
	uint64_t gpa, len;
	uint32_t type, attributes;
};

static const struct section good[] = {
	{ 0x0000, 0x1f00, 0xffffe000, 0x2000, TDVF_BFV, TDVF_MR_EXTEND },
	{ 0x1000, 0x800, 0xffffd000, 0x1000, TDVF_CFV, 0 },
	{ 0, 0, 0x809000, 0x2000, TDVF_TD_HOB, 0 },
	{ 0, 0, 0x80b000, 0x1000, TDVF_TEMP_MEM, 0 },
	{ 0, 0, 0x100000, 0x4000, TDVF_PERM_MEM, TDVF_PAGE_AUG },
};

/* hashlib, over the same image: PAGE.ADD and MR.EXTEND page by page. */
static const char good_mrtd[] =
	"dda6779a86dd5eb0e7180060e5a25554b60260ebd93bdbbd0668ef864dba0e48dc371aa44fc9c0c30a7c1d3e8ad081ce";
static const char good_mrtd_two_passes[] =
	"ccd3d6798c66ced92f828adaabcf61db19ebe632973d239b5be5444b141656d5f60ed261d8d324a1225173597972e9a9";

static uint8_t image[IMAGE_LEN];

static void image_build(const struct section *sections, uint32_t count)
{
	struct writer w = writer_up_to(IMAGE_LEN);

	for (size_t i = 0; i < IMAGE_LEN; i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	writer_bytes(&w, "TDVF", 4);
	writer_le32(&w, 16 + 32 * count);
	writer_le32(&w, 1);
	writer_le32(&w, count);
	for (uint32_t i = 0; i < count; i++) {
		writer_le32(&w, sections[i].offset);
		writer_le32(&w, sections[i].size);
		writer_le64(&w, sections[i].gpa);
		writer_le64(&w, sections[i].len);
		writer_le32(&w, sections[i].type);
		writer_le32(&w, sections[i].attributes);
	}
	memcpy(image + DESCRIPTOR_AT, w.bytes, w.len);
	writer_done(&w);
	memset(image + IMAGE_LEN - 0x40, 0, 0x40);
	image[IMAGE_LEN - 0x20 + 1] = DESCRIPTOR_AT >> 8;
}

static int parse(struct err *e)
{
	struct tdvf t;

	return tdvf_parse((struct span){ image, IMAGE_LEN }, &t, e);
}

static void the_measurement_is_that_of_the_module(void **state)
{
	struct tdx_measure m = { .firmware = { image, IMAGE_LEN } };
	uint8_t mrtd[SHA384_LEN];
	char hex[2 * SHA384_LEN + 1];
	struct err e;

	image_build(good, ARRAY_LEN(good));
	assert_ok(tdx_measure(&m, mrtd, &e), e);
	hex_encode(mrtd, sizeof(mrtd), hex);
	assert_string_equal(hex, good_mrtd);
	m.order = TDX_TWO_PASSES;
	assert_ok(tdx_measure(&m, mrtd, &e), e);
	hex_encode(mrtd, sizeof(mrtd), hex);
	assert_string_equal(hex, good_mrtd_two_passes);
}

/* What isn't measured may change, what is may not. */
static void only_measured_bytes_count(void **state)
{
	static const struct {
		size_t at;
		bool counts;
	} bytes[] = { { 0, true }, { 0x1000, true }, { 0x1eff, true }, { 0x1f00, false } };
	struct tdx_measure m = { .firmware = { image, IMAGE_LEN } };
	uint8_t before[SHA384_LEN], after[SHA384_LEN];
	struct err e;

	image_build(good, ARRAY_LEN(good));
	assert_ok(tdx_measure(&m, before, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		image[bytes[i].at] ^= 1;
		assert_ok(tdx_measure(&m, after, &e), e);
		assert_int_equal(memcmp(before, after, sizeof(before)) != 0, bytes[i].counts);
		image[bytes[i].at] ^= 1;
	}
}

/* A file of 12 KiB must not cost minutes. */
static void the_memory_that_is_measured_has_a_limit(void **state)
{
	enum { OTHERS = 0x6000, AT = 0x10000000 };
	struct tdx_measure m = { .firmware = { image, IMAGE_LEN } };
	struct section sections[6];
	uint8_t mrtd[SHA384_LEN];
	struct err e;

	memcpy(sections, good, sizeof(good));
	sections[5] =
		(struct section){ 0, 0, AT, TDX_MEASURE_BYTES_MAX - OTHERS, TDVF_PERM_MEM, 0 };
	image_build(sections, 6);
	assert_ok(tdx_measure(&m, mrtd, &e), e);
	sections[5].len += TDVF_PAGE_LEN;
	image_build(sections, 6);
	assert_refused(tdx_measure(&m, mrtd, &e), e, ERR_EXHAUSTED, "to measure");
	sections[5].attributes = TDVF_PAGE_AUG; /* what is added later costs nothing */
	image_build(sections, 6);
	assert_ok(tdx_measure(&m, mrtd, &e), e);
}

/* One field of one section changed. */
static void malformed_metadata_are_refused(void **state)
{
	static const struct {
		size_t section, field; /* 0 offset, 1 size, 2 gpa, 3 len, 4 type, 5 attributes */
		uint64_t value;
		const char *fault;
	} cases[] = {
		{ 0, 0, IMAGE_LEN, "leave the image" },
		{ 0, 1, 0xffffffff, "leave the image" },
		{ 0, 1, 0, "BFV of 0 bytes" },
		{ 0, 1, 0x2001, "for 8192 of memory" },
		{ 0, 2, 0xfffff800, "whole pages" },
		{ 0, 2, UINT64_MAX - 0xfff, "whole pages" },
		{ 0, 3, 0, "whole pages" },
		{ 0, 3, 0x1800, "whole pages" },
		{ 0, 3, UINT64_MAX - 0xfff, "whole pages" },
		{ 0, 4, 1, "without a boot firmware volume" },
		{ 0, 4, 7, "unknown type 7" },
		{ 0, 5, 4, "unknown attributes" },
		{ 0, 5, 3, "added later" },
		{ 2, 1, 1, "TD_HOB of 1 bytes" },
		{ 2, 5, 1, "TD HOB that is measured" },
		{ 3, 2, 0x80a000, "overlaps" },
		{ 1, 2, 0xfffff000, "overlaps" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct section s[ARRAY_LEN(good)];
		struct section *c = &s[cases[i].section];

		memcpy(s, good, sizeof(s));
		*(cases[i].field == 0   ? &c->offset
		  : cases[i].field == 1 ? &c->size
		  : cases[i].field == 4 ? &c->type
					: &c->attributes) = (uint32_t)cases[i].value;
		if (cases[i].field == 2 || cases[i].field == 3) {
			memcpy(s, good, sizeof(s));
			*(cases[i].field == 2 ? &c->gpa : &c->len) = cases[i].value;
		}
		image_build(s, ARRAY_LEN(s));
		assert_refused(parse(&e), e, ERR_INVALID, cases[i].fault);
	}
}

static void a_header_that_lies_is_refused(void **state)
{
	struct err e;

	image_build(good, ARRAY_LEN(good));
	assert_ok(parse(&e), e);
	for (size_t at = 4; at < 16; at += 4) {
		image_build(good, ARRAY_LEN(good));
		image[DESCRIPTOR_AT + at]++;
		assert_refused(parse(&e), e, ERR_INVALID, "TDX metadata of version");
	}
	image_build(good, ARRAY_LEN(good));
	image[DESCRIPTOR_AT] = 'X';
	assert_refused(parse(&e), e, ERR_NOT_FOUND, "no TDX metadata");
	image[IMAGE_LEN - 0x20 + 3] = 0xff;
	assert_refused(parse(&e), e, ERR_NOT_FOUND, "no TDX metadata");
}

static void every_truncation_is_refused(void **state)
{
	struct tdvf t;
	struct err e;

	image_build(good, ARRAY_LEN(good));
	for (size_t len = 0; len < IMAGE_LEN; len += 7) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, image, len);
		assert_true(tdvf_parse((struct span){ exact, len }, &t, &e) < 0);
		free(exact);
	}
}

/* A firmware as distributions ship it, where there is one: its sections make sense. */
static void ovmf_is_read(void **state)
{
	static const char *const paths[] = { "/usr/share/ovmf/OVMF.inteltdx.fd",
					     "/usr/share/ovmf/OVMF.fd" };
	struct tdx_measure m = { 0 };
	uint8_t *bytes = NULL, mrtd[SHA384_LEN];
	struct tdvf t;
	struct err e;

	for (size_t i = 0; !bytes && i < ARRAY_LEN(paths); i++)
		if (file_read(paths[i], OVMF_IMAGE_MAX, &bytes, &m.firmware.len, &e) < 0)
			bytes = NULL;
	if (!bytes) {
		print_message("# skipped: no OVMF in /usr/share/ovmf\n");
		skip();
	}
	m.firmware.bytes = bytes;
	assert_ok(tdvf_parse(m.firmware, &t, &e), e);
	assert_int_equal(t.sections[0].type, TDVF_BFV);
	assert_int_equal(t.sections[0].gpa + t.sections[0].len, UINT64_C(1) << 32);
	assert_ok(tdx_measure(&m, mrtd, &e), e);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_measurement_is_that_of_the_module),
		cmocka_unit_test(only_measured_bytes_count),
		cmocka_unit_test(the_memory_that_is_measured_has_a_limit),
		cmocka_unit_test(malformed_metadata_are_refused),
		cmocka_unit_test(a_header_that_lies_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(ovmf_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
