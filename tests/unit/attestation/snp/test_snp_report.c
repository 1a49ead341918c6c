/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_cert_table.h"
#include "common/base/bytes.h"
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

#include <stdio.h>

static struct forge f;
static const uint32_t versions[] = { 2, 3, 5 };

static bool parses(const uint8_t *bytes, size_t len)
{
	struct snp_report r;
	struct err e;

	return snp_report_parse(bytes, len, &r, &e) == 0;
}

static void what_is_written_is_read_again(void **state)
{
	struct snp_report r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		forge_init(&f, SNP_GENOA, versions[i], SNP_KEY_VCEK);
		f.report.guest_svn = 0x01020304;
		f.report.launch_mit_vector = versions[i] >= 5 ? UINT64_MAX : 0;
		forge_report(&f);
		assert_int_equal(f.bytes[4], 4);
		assert_ok(snp_report_parse(f.bytes, SNP_REPORT_LEN, &r, &e), e);
		assert_memory_equal(&r, &f.report, sizeof(r));
	}
}

static void every_length_but_one_is_refused(void **state)
{
	uint8_t longer[SNP_REPORT_LEN + 1] = { 0 };

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	for (size_t len = 0; len < SNP_REPORT_LEN; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, f.bytes, len);
		assert_false(parses(exact, len));
		free(exact);
	}
	memcpy(longer, f.bytes, SNP_REPORT_LEN);
	assert_true(parses(longer, SNP_REPORT_LEN));
	assert_false(parses(longer, SNP_REPORT_LEN + 1));
}

static void versions_are_2_3_and_5(void **state)
{
	forge_init(&f, SNP_GENOA, 2, SNP_KEY_VCEK);
	for (unsigned v = 0; v < 256; v++) {
		f.bytes[0] = (uint8_t)v;
		assert_int_equal(parses(f.bytes, SNP_REPORT_LEN), v == 2 || v == 3 || v == 5);
	}
	f.bytes[0] = 2;
	f.bytes[1] = 1;
	assert_false(parses(f.bytes, SNP_REPORT_LEN));
}

/* Whether some field of that version has the byte. */
static bool covered(size_t at, uint32_t version)
{
	for (size_t i = 0; i < snp_report_field_count; i++) {
		const struct snp_field *x = &snp_report_fields[i];

		if (at >= x->offset && at < x->offset + x->len)
			return x->since <= version;
	}
	return false;
}

static void every_bit_that_no_field_has_is_zero(void **state)
{
	size_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		forge_init(&f, SNP_GENOA, versions[i], SNP_KEY_VCEK);
		for (size_t bit = 0; bit < 8 * SNP_REPORT_LEN; bit++) {
			if (covered(bit / 8, versions[i]))
				continue;
			f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (parses(f.bytes, SNP_REPORT_LEN))
				fail_msg("version %u: bit %zu of 0x%03zx", versions[i], bit % 8,
					 bit / 8);
			f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			bits++;
		}
	}
	print_message("# %zu reserved bits\n", bits);
}

static void reserved_bits_inside_of_fields_are_as_specified(void **state)
{
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	for (unsigned bit = 0; bit < 64; bit++) {
		f.bytes[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(parses(f.bytes, SNP_REPORT_LEN), bit < 26 && bit != 17);
		f.bytes[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (unsigned flags = 0; flags < 64; flags++) {
		unsigned key = flags >> 2 & 7;

		f.bytes[0x48] = (uint8_t)flags;
		assert_int_equal(parses(f.bytes, SNP_REPORT_LEN),
				 flags < 32 && (key == 0 || key == 1 || key == 7));
	}
	f.bytes[0x48] = 0;
	for (unsigned vmpl = 0; vmpl < 6; vmpl++) {
		f.bytes[0x30] = (uint8_t)vmpl;
		assert_int_equal(parses(f.bytes, SNP_REPORT_LEN), vmpl <= 3);
	}
}

static void signature_numbers_are_in_range(void **state)
{
	static const uint8_t order_low[] = { 0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec };

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	assert_true(snp_report_signature_in_range(&f.report));
	memset(f.report.signature_r, 0, SNP_SIGNATURE_PART_LEN);
	assert_false(snp_report_signature_in_range(&f.report));
	f.report.signature_r[0] = 1;
	assert_true(snp_report_signature_in_range(&f.report));
	memset(f.report.signature_s, 0xff, SNP_SIGNATURE_PART_LEN);
	assert_false(snp_report_signature_in_range(&f.report));
	/* n−1, n, n+1 */
	memcpy(f.report.signature_s, (uint8_t[]){ 0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec,
						  0x7a, 0xa7, 0xb0, 0x48, 0xb2, 0x0d, 0x1a, 0x58,
						  0xdf, 0x2d, 0x37, 0xf4, 0x81, 0x4d, 0x63, 0xc7 },
	       24);
	assert_memory_equal(f.report.signature_s, order_low, sizeof(order_low));
	assert_false(snp_report_signature_in_range(&f.report));
	f.report.signature_s[0]--;
	assert_true(snp_report_signature_in_range(&f.report));
	f.report.signature_s[0] += 2;
	assert_false(snp_report_signature_in_range(&f.report));
}

static void tcb_bytes_mean_other_things_on_turin(void **state)
{
	static const uint8_t bytes[SNP_TCB_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct snp_tcb milan = snp_tcb_of(bytes, SNP_MILAN), turin = snp_tcb_of(bytes, SNP_TURIN);
	char text[SNP_TCB_TEXT_MAX];
	uint8_t again[SNP_TCB_LEN];
	struct snp_tcb high = milan;

	assert_true(milan.bootloader == 1 && milan.tee == 2 && milan.snp == 7 &&
		    milan.microcode == 8 && milan.fmc == 0);
	assert_true(turin.fmc == 1 && turin.bootloader == 2 && turin.tee == 3 && turin.snp == 4 &&
		    turin.microcode == 8);
	snp_tcb_bytes(&milan, SNP_MILAN, again);
	assert_memory_equal(again, bytes, SNP_TCB_LEN);
	snp_tcb_bytes(&turin, SNP_TURIN, again);
	assert_memory_equal(again, bytes, SNP_TCB_LEN);
	snp_tcb_text(&milan, text);
	assert_string_equal(text, "fmc 0, bootloader 1, tee 2, snp 7, microcode 8, spl_4 3, "
				  "spl_5 4, spl_6 5, spl_7 6");
	high.tee++;
	high.snp--;
	assert_false(snp_tcb_at_least(&high, &milan));
	assert_false(snp_tcb_at_least(&milan, &high));
	assert_true(snp_tcb_at_least(&milan, &milan));
}

static void products_are_told_by_name_and_by_cpuid(void **state)
{
	assert_int_equal(snp_product_of("milan"), SNP_MILAN);
	assert_int_equal(snp_product_of("Bergamo"), SNP_GENOA);
	assert_int_equal(snp_product_of("Rome"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_name("ARK-Turin", "ARK-"), SNP_TURIN);
	assert_int_equal(snp_product_of_name("ARK-Turin2", "ARK-"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_name("SEV-VLEK-Milan", "SEV-"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_extension("Milan-B0"), SNP_MILAN);
	assert_int_equal(snp_product_of_extension("Siena-A0"), SNP_GENOA);
	assert_int_equal(snp_product_of_extension("Milan-"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_extension("Milan-B00"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_extension("MilanX"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_extension("any"), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_extension(""), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_cpuid(0x19, 0x01), SNP_MILAN);
	assert_int_equal(snp_product_of_cpuid(0x19, 0xa0), SNP_GENOA);
	assert_int_equal(snp_product_of_cpuid(0x1a, 0x11), SNP_TURIN);
	assert_int_equal(snp_product_of_cpuid(0x19, 0x20), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_cpuid(0x17, 0x31), SNP_PRODUCT_ANY);
	/* Venice: its TCB has another layout, which must not be read as Turin's. */
	assert_int_equal(snp_product_of_cpuid(0x1a, 0x50), SNP_PRODUCT_ANY);
	assert_int_equal(snp_product_of_cpuid(0x1a, 0xa0), SNP_PRODUCT_ANY);
	assert_null(snp_product_root(SNP_PRODUCT_ANY));
	assert_non_null(snp_product_root(SNP_TURIN));
}

struct entry {
	uint8_t guid0; /* the first byte of a made-up GUID, or of a known one's */
	uint32_t offset, len;
};

/* Entries, a zero one, and bytes up to `len`. */
static bool table_parses(const struct entry *entries, size_t count, size_t len,
			 struct snp_cert_table *out, struct err *e)
{
	static const uint8_t vcek[] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	uint8_t *bytes = calloc(1, len ? len : 1);
	bool good;

	for (size_t i = 0; i < count && 24 * (i + 1) <= len; i++) {
		bytes[24 * i] = entries[i].guid0;
		if (entries[i].guid0 == vcek[0])
			memcpy(bytes + 24 * i, vcek, 16);
		bytes_put_le(bytes + 24 * i + 16, entries[i].offset, 4);
		bytes_put_le(bytes + 24 * i + 20, entries[i].len, 4);
	}
	good = snp_cert_table_parse((struct span){ bytes, len }, out, e) == 0;
	free(bytes);
	return good;
}

static void a_table_has_its_entries_within_and_apart(void **state)
{
	struct snp_cert_table t;
	struct err e;

	assert_true(
		table_parses((struct entry[]){ { 0x63, 72, 10 }, { 2, 82, 10 } }, 2, 92, &t, &e));
	assert_int_equal(t.vcek.len, 10);
	assert_int_equal(t.unknown, 1);
	assert_true(table_parses(NULL, 0, 24, &t, &e));
	assert_false(table_parses(NULL, 0, 23, &t, &e));
	assert_false(table_parses(NULL, 0, 0, &t, &e));
	/* length one too many, none, an offset inside of the entries, sums that wrap */
	assert_false(table_parses((struct entry[]){ { 1, 48, 11 } }, 1, 58, &t, &e));
	assert_true(table_parses((struct entry[]){ { 1, 48, 10 } }, 1, 58, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 48, 0 } }, 1, 58, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 47, 10 } }, 1, 58, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 0xffffffff, 2 } }, 1, 58, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 50, 0xffffffff } }, 1, 58, &t, &e));
	/* overlaps, whichever comes first; a GUID twice */
	assert_false(table_parses((struct entry[]){ { 1, 72, 10 }, { 2, 81, 5 } }, 2, 92, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 81, 5 }, { 2, 72, 10 } }, 2, 92, &t, &e));
	assert_false(table_parses((struct entry[]){ { 1, 72, 5 }, { 1, 82, 5 } }, 2, 92, &t, &e));
	/* no GUID, but not the end */
	assert_false(table_parses((struct entry[]){ { 0, 48, 10 } }, 1, 58, &t, &e));
}

static void a_table_has_at_most_32_entries(void **state)
{
	struct entry entries[SNP_CERT_TABLE_ENTRIES_MAX + 1];
	struct snp_cert_table t;
	struct err e;

	for (uint32_t n = SNP_CERT_TABLE_ENTRIES_MAX; n <= SNP_CERT_TABLE_ENTRIES_MAX + 1; n++) {
		for (uint32_t i = 0; i < n; i++)
			entries[i] = (struct entry){ (uint8_t)(i + 1), 24 * (n + 1) + i, 1 };
		assert_int_equal(table_parses(entries, n, 24 * (n + 1) + n, &t, &e),
				 n <= SNP_CERT_TABLE_ENTRIES_MAX);
	}
	assert_false(table_parses(NULL, 0, SNP_CERT_TABLE_MAX + 1, &t, &e));
	assert_true(table_parses(NULL, 0, SNP_CERT_TABLE_MAX, &t, &e));
}

/* A table has an entry, or is zeros: its end, and the rest of its page. */
static void raw_evidence_is_a_report_with_or_without_a_table(void **state)
{
	uint8_t raw[2 * SNP_REPORT_LEN] = { 0 };
	struct span report, table;

	memset(raw, 0x41, SNP_REPORT_LEN);
	for (size_t len = 0; len <= sizeof(raw); len++) {
		bool has_table = len >= SNP_REPORT_LEN + SNP_CERT_TABLE_END_LEN; /* an empty one */

		snp_evidence_split((struct span){ raw, len }, &report, &table);
		assert_int_equal(report.len, has_table ? SNP_REPORT_LEN : len);
		assert_int_equal(table.len, len - report.len);
	}
	raw[sizeof(raw) - 1] = 1;
	snp_evidence_split((struct span){ raw, sizeof(raw) }, &report, &table);
	assert_int_equal(report.len, sizeof(raw));
	raw[sizeof(raw) - 1] = 0;
	raw[SNP_REPORT_LEN] = 1;
	bytes_put_le(raw + SNP_REPORT_LEN + 16, 48, 4);
	bytes_put_le(raw + SNP_REPORT_LEN + 20, 2, 4);
	for (size_t len = 0; len <= SNP_REPORT_LEN + 60; len++) {
		bool has_table = len >= SNP_REPORT_LEN + 50;

		snp_evidence_split((struct span){ raw, len }, &report, &table);
		assert_int_equal(report.len, has_table ? SNP_REPORT_LEN : len);
		assert_int_equal(table.len, has_table ? len - SNP_REPORT_LEN : 0);
	}
	memset(raw, 0x41, sizeof(raw));
	snp_evidence_split((struct span){ raw, sizeof(raw) }, &report, &table);
	assert_int_equal(report.len, sizeof(raw));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(every_length_but_one_is_refused),
		cmocka_unit_test(versions_are_2_3_and_5),
		cmocka_unit_test(every_bit_that_no_field_has_is_zero),
		cmocka_unit_test(reserved_bits_inside_of_fields_are_as_specified),
		cmocka_unit_test(signature_numbers_are_in_range),
		cmocka_unit_test(tcb_bytes_mean_other_things_on_turin),
		cmocka_unit_test(products_are_told_by_name_and_by_cpuid),
		cmocka_unit_test(a_table_has_its_entries_within_and_apart),
		cmocka_unit_test(a_table_has_at_most_32_entries),
		cmocka_unit_test(raw_evidence_is_a_report_with_or_without_a_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
