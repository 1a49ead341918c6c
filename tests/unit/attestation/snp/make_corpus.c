/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the fuzz corpora of SEV-SNP anew: ninja -C build tests/unit/attestation/make_snp_corpus, then
 * build/tests/unit/attestation/make_snp_corpus tests/fuzz. All of it is forged here.
 */
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/fuzz/make_usage.h"
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

#include <stdio.h>

static const char *folder;

static void save(const char *target, const char *name, const void *bytes, size_t len)
{
	char path[700];
	struct err e;

	snprintf(path, sizeof(path), "%s/corpus/%s", folder, target);
	assert_ok(dir_make(path, 0755, &e), e);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	assert_ok(file_write(path, bytes, len, 0644, &e), e);
}

static void save_writer(const char *target, const char *name, struct writer *w)
{
	save(target, name, w->bytes, w->len);
	writer_done(w);
}

static void write_case(enum snp_product product, uint32_t version, enum snp_signing_key key,
		       const char *name)
{
	uint8_t crl[FORGE_CRL_MAX];
	const long serials[] = { 4, 70000 };
	struct writer w = writer_up_to(1 << 20);
	struct forge f;

	forge_init(&f, product, version, key);
	save("snp_report", name, f.bytes, SNP_REPORT_LEN);
	save("x509", name, f.input.vek.bytes, f.input.vek.len);
	writer_bytes(&w, f.bytes, SNP_REPORT_LEN);
	writer_le64(&w, f.policy.guest_policy);
	writer_le64(&w, f.policy.platform_info);
	writer_u8(&w, 0);
	writer_u8(&w, key == SNP_KEY_VLEK);
	writer_u8(&w, (uint8_t)(product - 1));
	writer_bytes(&w, f.input.vek.bytes, f.input.vek.len);
	save_writer("snp_judge", name, &w);
	if (product != SNP_MILAN)
		return;
	save("x509", "ark", f.input.ark.bytes, f.input.ark.len);
	save("x509_crl", "two", crl,
	     forge_crl(f.root_key, "ARK-Milan", serials, 2, FORGE_AT, FORGE_AT + 9, crl));
	save("x509_crl", "none", crl,
	     forge_crl(f.root_key, "ARK-Milan", NULL, 0, FORGE_AT, FORGE_AT + 9, crl));
}

static void write_table(void)
{
	static const uint8_t vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	struct writer w = writer_up_to(4096);

	writer_bytes(&w, vcek, 16);
	writer_le32(&w, 72);
	writer_le32(&w, 5);
	writer_bytes(&w, "another GUID 16b", 16);
	writer_le32(&w, 80);
	writer_le32(&w, 8);
	writer_zeros(&w, 24);
	writer_text(&w, "abcde...12345678");
	save_writer("snp_cert_table", "two", &w);
}

static void write_corpora(void **state)
{
	write_case(SNP_MILAN, 2, SNP_KEY_VCEK, "milan-v2");
	write_case(SNP_GENOA, 3, SNP_KEY_VLEK, "genoa-v3-vlek");
	write_case(SNP_TURIN, 5, SNP_KEY_VCEK, "turin-v5");
	write_table();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(write_corpora) };
	int wrong = make_usage(
		argc, argv, "make_snp_corpus",
		"Writes first inputs of SEV-SNP targets, with keys that are thrown away.");

	if (wrong >= 0)
		return wrong;
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
