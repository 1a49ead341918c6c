/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_corpus.c — writes the first inputs of the TDX, TPM, CoRIM and receipt fuzz targets again, with keys that
 * are thrown away: make_corpus FOLDER, where FOLDER is tests/fuzz. Not run by any test; the files are
 * saved, and beside them what fuzzing found to lead further.
 */
#include "attestation/corim/corim_write.h"
#include "attestation/formats/x509.h"
#include "attestation/snp/snp_report.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "tests/forge/snp_forge.h"
#include "tests/forge/tdx_forge.h"
#include "tests/fuzz/make_usage.h"
#include "tests/fuzz/tdvf_small.h"
#include "tests/unit/attestation/receipt/receipt_build.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include <stdio.h>

static const char *folder;

static void save(const char *name, struct span bytes)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof(path), "%s/corpus/%s", folder, name);
	*strrchr(path, '/') = '\0';
	assert_ok(dir_make(path, 0755, &e), e);
	snprintf(path, sizeof(path), "%s/corpus/%s", folder, name);
	assert_ok(file_write(path, bytes.bytes, bytes.len, 0644, &e), e);
}

/* With a byte before it that says what follows. */
static void save_as(const char *name, uint8_t kind, struct span bytes)
{
	struct writer w = writer_up_to(1 << 20);

	writer_u8(&w, kind);
	writer_bytes(&w, bytes.bytes, bytes.len);
	save(name, (struct span){ w.bytes, w.len });
	writer_done(&w);
}

static void tdx_save(void)
{
	static struct tdx_forge f;
	static uint8_t quote[FORGE_QUOTE_MAX];
	struct forge_quote q;
	struct x509_chain chain;
	struct err e;

	tdx_forge_init(&f);
	q = f.good;
	save("tdx_quote/v5", (struct span){ quote, tdx_forge_quote(&f, &q, quote) });
	q.version = 4;
	q.body_type = TDX_BODY_10;
	save("tdx_quote/v4", (struct span){ quote, tdx_forge_quote(&f, &q, quote) });
	save("tdx_tcb_info/small", f.collateral.tcb_info);
	save("tdx_qe_identity/small", f.collateral.qe_identity);

	assert_ok(x509_chain_from_pem(f.pck_chain, strlen(f.pck_chain), &chain, &e), e);
	save("tdx_pck/extension", x509_extension_of(chain.certs[0], TDX_PCK_EXTENSION)->value);
	x509_chain_done(&chain);
	tdx_forge_done(&f);
}

static void hcl_save(void)
{
	static const uint8_t n[256] = { [0] = 0xc1, [255] = 0x01 };
	struct writer w = writer_up_to(1 << 16), json = writer_up_to(1 << 12);
	char *text = base64_encode(n, sizeof(n));

	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	text[strcspn(text, "=")] = '\0';
	writer_printf(&json,
		      "{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\","
		      "\"e\":\"AQAB\",\"n\":\"%s\"}]}",
		      text);
	writer_bytes(&w, "HCLA", 4);
	writer_le32(&w, 2);
	writer_le32(&w, (uint32_t)(32 + SNP_REPORT_LEN + 20 + json.len));
	writer_le32(&w, 2);
	writer_zeros(&w, 16 + SNP_REPORT_LEN);
	writer_le32(&w, (uint32_t)(20 + json.len));
	writer_le32(&w, 1);
	writer_le32(&w, 2);
	writer_le32(&w, 1);
	writer_le32(&w, (uint32_t)json.len);
	writer_bytes(&w, json.bytes, json.len);
	writer_zeros(&w, 16);
	save("hcl_report/azure", (struct span){ w.bytes, w.len });
	writer_done(&w);
	writer_done(&json);
	free(text);
}

static void tdvf_save(void)
{
	struct writer w = writer_up_to(1 << 16);

	tdvf_small(&w);
	save("tdvf/small", (struct span){ w.bytes, w.len });
	writer_done(&w);
}

/* A report in sevsnp.Attestation, and one with a table of one certificate that is to be put there. */
static void sevsnp_save(void)
{
	struct writer w = writer_up_to(1 << 16), both = writer_up_to(1 << 16);
	uint8_t report[SNP_REPORT_LEN];
	struct snp_report fields;
	struct forge_chip chip;

	forge_chip(&chip, SNP_GENOA, SNP_KEY_VCEK);
	forge_chip_report(&chip, 5, &fields);
	snp_report_write(&fields, report);
	tpm_forge_sevsnp(report, &w);
	save_as("tpm_attestation/sevsnp", 1, tpm_forge_span(&w));
	writer_bytes(&both, report, sizeof(report));
	save_as("tpm_attestation/report", 2, tpm_forge_span(&both));
	writer_bytes(&both, "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd", 16);
	writer_le32(&both, 48);
	writer_le32(&both, 3);
	writer_zeros(&both, 24);
	writer_text(&both, "key");
	save_as("tpm_attestation/report-and-table", 2, tpm_forge_span(&both));
	writer_done(&w);
	writer_done(&both);
}

static void corim_save_one(const char *name, const struct corim_entry *entry)
{
	struct writer w = writer_up_to(1 << 16);
	char path[64];
	struct err e;

	assert_ok(corim_write(entry, NULL, &w, &e), e);
	snprintf(path, sizeof(path), "corim/%s", name);
	save_as(path, 0, tpm_forge_span(&w));
	snprintf(path, sizeof(path), "corim/%s-signed", name);
	save_as(path, 1, tpm_forge_span(&w));
	writer_done(&w);
}

static void corim_save(void)
{
	struct corim_entry snp = { .product = SNP_GENOA }, tdx = { .tdx = true };

	memset(snp.measurement, 0xa2, sizeof(snp.measurement));
	corim_save_one("snp", &snp);
	snp.has_policy = snp.has_host_data = true;
	snp.policy = SNP_POLICY_RESERVED_ONE | SNP_POLICY_SMT;
	memset(snp.host_data, 0xa3, sizeof(snp.host_data));
	snp.svn = (struct corim_svn){ true, true, 5 };
	snp.launch_tcb = (struct corim_svn){ true, true, 0xdb18000000000104 };
	corim_save_one("snp-all", &snp);
	memset(tdx.mr, 0xb0, sizeof(tdx.mr));
	tdx.has_mr[0] = tdx.has_mr[2] = true;
	tdx.svn = (struct corim_svn){ true, false, 5 };
	corim_save_one("tdx", &tdx);
	memset(tdx.has_mr, true, sizeof(tdx.has_mr));
	corim_save_one("tdx-all", &tdx);
}

static void tpm_save(void)
{
	struct forge_tpm f;
	struct forge_tpm_parts p;
	struct writer log;

	tpm_forge_init(&f);
	tpm_forge_parts(&f, &p);
	save_as("tpm_quote/attest", 0, tpm_forge_span(&p.quote));
	save_as("tpm_quote/signature", 1, tpm_forge_span(&p.signature));
	save_as("tpm_quote/public", 2, tpm_forge_span(&p.ak_public));
	save_as("tpm_attestation/message", 0, tpm_forge_span(&p.message));
	save_as("event_log/agile", 0, tpm_forge_span(&p.log));
	tpm_forge_log(&log, true);
	save_as("event_log/legacy", 0, tpm_forge_span(&log));
	writer_done(&log);
	tpm_forge_cc_log(&log);
	save_as("event_log/cc", 1, tpm_forge_span(&log));
	writer_done(&log);
	tpm_forge_parts_done(&p);
	tpm_forge_done(&f);
}

static void receipt_save_one(const char *name, const struct verify_kind *kind)
{
	static struct receipt_build b;
	char path[64];

	kind->setup();
	receipt_build_begin(&b, kind);
	if (strcmp(name, "small") == 0) {
		b.r.dataset_count = b.r.wheel_count = b.r.arg_count = 0;
		b.r.has_requirements = b.r.has_journal = false;
		b.closed = true; /* a provider's copy */
	}
	if (strcmp(name, "kept") == 0) {
		b.datasets[0].leave = "algorithm";
		memset(b.datasets[0].kept_of, 0x40, SHA3_256_LEN);
	}
	receipt_build_seal(&b);
	snprintf(path, sizeof(path), "receipt/%s", name);
	save(path, (struct span){ b.bytes.bytes, b.bytes.len });
	receipt_build_end(&b);
	kind->teardown();
}

static void receipt_save(void)
{
	receipt_save_one("snp", &verify_kind_snp);
	receipt_save_one("small", &verify_kind_snp);
	receipt_save_one("kept", &verify_kind_snp);
	receipt_save_one("tdx", &verify_kind_tdx);
	receipt_save_one("vtpm", &verify_kind_vtpm);
	receipt_save_one("snp-vtpm", &verify_kind_snp_vtpm);
}

int main(int argc, char **argv)
{
	int wrong = make_usage(
		argc, argv, "make_corpus",
		"Writes first inputs of TDX, TPM, CoRIM, HCL and receipt targets, with keys that are thrown away.");

	if (wrong >= 0)
		return wrong;
	folder = argv[1];
	tdx_save();
	tpm_save();
	sevsnp_save();
	corim_save();
	hcl_save();
	tdvf_save();
	receipt_save();
	return 0;
}
