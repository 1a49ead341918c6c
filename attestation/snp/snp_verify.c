/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_verify.h"

#include "attestation/snp/snp_key.h"

#include <stdio.h>
#include <string.h>

enum { CPUID_SINCE = 3 };

static const char *key_name(enum snp_signing_key key)
{
	switch (key) {
	case SNP_KEY_VCEK:
		return "VCEK";
	case SNP_KEY_VLEK:
		return "VLEK";
	default:
		return "none";
	}
}

void snp_verify_require(struct verdict *v)
{
	static const enum check_id always[] = {
		CHECK_SIGNATURE_REPORT,
		CHECK_BINDING_SIGNING_KEY,
		CHECK_BINDING_CERTIFICATE_KIND,
		CHECK_BINDING_MASK_CHIP_KEY,
		CHECK_BINDING_EXTENSIONS,
		CHECK_BINDING_PRODUCT,
		CHECK_BINDING_TCB,
		CHECK_BINDING_CHIP_ID,
		CHECK_TCB_REPORTED,
		CHECK_TCB_COMMITTED,
		CHECK_TCB_FIRMWARE,
	};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		verdict_require(v, always[i]);
}

bool snp_verify_signature(const struct snp_chain *chain, struct span bytes,
			  const struct snp_report *report, struct verdict *v)
{
	struct span content = { .bytes = bytes.bytes, .len = SNP_REPORT_SIGNED_LEN };
	EVP_PKEY *key; /* the certificate's */
	struct err e;

	if (bytes.len != SNP_REPORT_LEN)
		return verdict_check(v, CHECK_SIGNATURE_REPORT, false, "a wrong length", NULL);
	if (!snp_report_signature_in_range(report))
		return verdict_check(v, CHECK_SIGNATURE_REPORT, false, "r or s out of range",
				     "1 to n-1");
	if (x509_key(chain->vek, &key, &e) < 0 ||
	    snp_key_verify(key, content, report->signature_r, report->signature_s, &e) < 0)
		return verdict_err(v, CHECK_SIGNATURE_REPORT, &e);
	return verdict_check(v, CHECK_SIGNATURE_REPORT, true, NULL, NULL);
}

/* The report's word, the certificate's name and the caller's word. */
static bool check_key(const struct snp_chain *chain, const struct snp_input *in,
		      const struct snp_report *report, struct verdict *v)
{
	enum snp_signing_key key = snp_report_signing_key(report);
	bool as_named = !(in->need_vcek && chain->kind != SNP_KEY_VCEK) &&
			!(in->need_vlek && chain->kind != SNP_KEY_VLEK);
	bool all = verdict_check(v, CHECK_BINDING_SIGNING_KEY,
				 key != SNP_KEY_NONE && key == chain->kind, key_name(key),
				 key_name(chain->kind));

	all = verdict_check(v, CHECK_BINDING_CERTIFICATE_KIND, as_named, key_name(chain->kind),
			    in->need_vlek ? "VLEK" : "VCEK") &&
	      all;
	/* Firmware that masks the chip's key signs nothing: the flag in a signed report lies. */
	return verdict_check(v, CHECK_BINDING_MASK_CHIP_KEY, !snp_report_mask_chip_key(report),
			     snp_report_mask_chip_key(report) ? "MASK_CHIP_KEY set" : "clear",
			     "clear") &&
	       all;
}

static bool check_product(const struct snp_chain *chain, const struct snp_report *report,
			  const struct snp_vcek *vcek, struct verdict *v)
{
	const char *wanted = snp_product_name(chain->product);
	bool all = verdict_check(v, CHECK_BINDING_PRODUCT, vcek->product == chain->product,
				 vcek->product_name, wanted);

	if (report->version < CPUID_SINCE) {
		verdict_not_asked(v, CHECK_BINDING_CPUID, "reports of version 2 have no CPUID");
		return all;
	}
	return verdict_checkf(v, CHECK_BINDING_CPUID,
			      snp_product_of_cpuid(report->cpuid_fam_id, report->cpuid_mod_id) ==
				      chain->product,
			      wanted, "family 0x%02x, model 0x%02x", report->cpuid_fam_id,
			      report->cpuid_mod_id) &&
	       all;
}

static bool check_chip(const struct snp_report *report, const struct snp_vcek *vcek,
		       struct verdict *v)
{
	static const uint8_t masked[SNP_CHIP_ID_LEN];

	/* A VLEK is no chip's, and its certificate names none: CHIP_ID is what the firmware says, zero
	 * where the host masks it (MaskChipId), whichever key signs (table 23). Under a VCEK hwid is
	 * CHIP_ID as it has to be, with zeros behind Turin's eight bytes. */
	if (vcek->kind == SNP_KEY_VLEK)
		return verdict_check(v, CHECK_BINDING_CHIP_ID, true,
				     "no certificate's: the VLEK is no chip's", NULL);
	if (memcmp(report->chip_id, masked, SNP_CHIP_ID_LEN) == 0)
		return verdict_check(v, CHECK_BINDING_CHIP_ID, false,
				     "a masked CHIP_ID under a VCEK", "the hwID");
	return verdict_bytes(v, CHECK_BINDING_CHIP_ID, report->chip_id, vcek->hwid,
			     SNP_CHIP_ID_LEN);
}

bool snp_verify_binding(const struct snp_chain *chain, const struct snp_input *in,
			const struct snp_report *report, struct snp_vcek *vcek, struct verdict *v)
{
	uint8_t tcb[SNP_TCB_LEN];
	bool all = check_key(chain, in, report, v);
	struct err e;

	if (snp_vcek_read(chain->vek, vcek, &e) < 0)
		return verdict_err(v, CHECK_BINDING_EXTENSIONS, &e);
	verdict_check(v, CHECK_BINDING_EXTENSIONS, true, NULL, NULL);
	all = check_product(chain, report, vcek, v) && all;
	snp_tcb_bytes(&vcek->tcb, chain->product, tcb);
	all = verdict_bytes(v, CHECK_BINDING_TCB, report->reported_tcb, tcb, SNP_TCB_LEN) && all;
	return check_chip(report, vcek, v) && all;
}

static bool check_order(enum check_id check, const struct snp_tcb *low, const struct snp_tcb *high,
			struct verdict *v)
{
	char found[SNP_TCB_TEXT_MAX], wanted[SNP_TCB_TEXT_MAX + 16];
	char limit[SNP_TCB_TEXT_MAX];

	snp_tcb_text(low, found);
	snp_tcb_text(high, limit);
	snprintf(wanted, sizeof(wanted), "at most %s", limit);
	return verdict_check(v, check, snp_tcb_at_least(high, low), found, wanted);
}

bool snp_verify_tcb(const struct snp_report *report, enum snp_product product, struct verdict *v)
{
	struct snp_tcb reported = snp_tcb_of(report->reported_tcb, product);
	struct snp_tcb committed = snp_tcb_of(report->committed_tcb, product);
	struct snp_tcb current = snp_tcb_of(report->current_tcb, product);
	uint32_t committed_firmware = (uint32_t)report->committed_major << 16 |
				      (uint32_t)report->committed_minor << 8 |
				      report->committed_build;
	uint32_t current_firmware = (uint32_t)report->current_major << 16 |
				    (uint32_t)report->current_minor << 8 | report->current_build;
	char wanted[48];
	bool all = check_order(CHECK_TCB_REPORTED, &reported, &committed, v);

	all = check_order(CHECK_TCB_COMMITTED, &committed, &current, v) && all;
	snprintf(wanted, sizeof(wanted), "at most %u.%u.%u", report->current_major,
		 report->current_minor, report->current_build);
	return verdict_checkf(v, CHECK_TCB_FIRMWARE, committed_firmware <= current_firmware, wanted,
			      "%u.%u.%u", report->committed_major, report->committed_minor,
			      report->committed_build) &&
	       all;
}
