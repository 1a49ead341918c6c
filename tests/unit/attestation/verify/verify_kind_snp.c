/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP by itself, and with a TPM whose AK the report binds. Evidence brings its chip's certificate
 * along, as a host delivers it. */
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_kind.h"

#define SNP_HWID_OID "1.3.6.1.4.1.3704.1.4"

static struct forge forge;
static struct forge_tpm tpm, other_tpm;
static uint8_t measurements[2][SNP_DIGEST_LEN];
static uint8_t host_data[2][SNP_HOST_DATA_LEN];
static uint8_t vceks[2][FORGE_CERT_MAX]; /* of the first chip, of another */
static size_t vcek_lens[2];

static void setup(void)
{
	struct forge_extension *hwid;

	forge_init(&forge, SNP_GENOA, 5, SNP_KEY_VCEK);
	vcek_lens[0] = forge.input.vek.len;
	memcpy(vceks[0], forge.input.vek.bytes, vcek_lens[0]);
	hwid = forge_find(&forge.leaf, SNP_HWID_OID);
	hwid->bytes[0] ^= 1;
	vcek_lens[1] = forge_make(&forge.leaf, vceks[1]);
	memset(measurements[0], 0xa2, SNP_DIGEST_LEN);
	memset(measurements[1], 0xa3, SNP_DIGEST_LEN);
	memset(host_data[1], 0xa4, SNP_HOST_DATA_LEN);
}

static void teardown(void)
{
}

static void setup_both(void)
{
	setup();
	tpm_forge_init(&tpm);
	tpm_forge_init(&other_tpm);
}

static void teardown_both(void)
{
	tpm_forge_done(&tpm);
	tpm_forge_done(&other_tpm);
}

static void policy(struct policy *p)
{
	p->has_snp = true;
	p->snp.measurements = (struct value_set){ measurements[0], 2 };
	p->snp.host_data = (struct value_set){ host_data[0], 2 };
}

static void policy_both(struct policy *p)
{
	policy(p);
	p->has_tpm = true;
	p->tpm.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { tpm.pcrs.banks[0].values[4], 1 } };
	p->tpm.count = 1;
}

static void endorse(struct verify_input *in)
{
	in->snp.intermediate = forge.input.intermediate;
	in->snp.ark = forge.input.ark;
	in->snp.trusted_root = forge.input.trusted_root;
}

static void fix_boot(const uint8_t *digest)
{
	memset(forge.report.host_data, 0, SNP_HOST_DATA_LEN);
	if (digest)
		memcpy(forge.report.host_data, digest, SNP_HOST_DATA_LEN);
}

static void report(const uint8_t report_data[SNP_REPORT_DATA_LEN], enum verify_twist twist)
{
	const struct snp_report good = forge.report;

	memcpy(forge.report.report_data, report_data, SNP_REPORT_DATA_LEN);
	if (twist == TWIST_MEASUREMENT)
		memcpy(forge.report.measurement, measurements[1], SNP_DIGEST_LEN);
	if (twist == TWIST_GUEST)
		forge.report.report_id[0] ^= 1;
	if (twist == TWIST_CHIP)
		forge.report.chip_id[0] ^= 1;
	if (twist == TWIST_CONFIG)
		memcpy(forge.report.host_data, host_data[1], SNP_HOST_DATA_LEN);
	forge_report(&forge);
	forge.report = good;
}

/* The report, and a table of one certificate behind it. */
static void evidence(const struct binding *b, enum verify_twist twist, struct writer *out)
{
	static const uint8_t vcek_guid[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					       0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	size_t chip = twist == TWIST_CHIP;

	report(b->report_data, twist);
	*out = writer_up_to(SNP_REPORT_LEN + 2 * FORGE_CERT_MAX);
	writer_bytes(out, forge.bytes, SNP_REPORT_LEN);
	writer_bytes(out, vcek_guid, sizeof(vcek_guid));
	writer_le32(out, 48);
	writer_le32(out, (uint32_t)vcek_lens[chip]);
	writer_zeros(out, 24);
	writer_bytes(out, vceks[chip], vcek_lens[chip]);
}

static void evidence_both(const struct binding *b, enum verify_twist twist, struct writer *out)
{
	struct forge_tpm f = twist == TWIST_AK ? other_tpm : tpm;
	struct writer tee = writer_up_to(1 << 16), chain = writer_up_to(1 << 16);
	size_t chip = twist == TWIST_CHIP;
	uint8_t report_data[SNP_REPORT_DATA_LEN];
	struct forge_tpm_parts p;
	struct err e;

	memcpy(f.nonce, b->tpm_nonce, sizeof(f.nonce));
	f.reset_count += twist == TWIST_BOOT;
	tpm_forge_parts(&f, &p);
	assert_ok(binding_with_ak(b->report_data, p.ak_public.bytes, p.ak_public.len, report_data,
				  &e),
		  e);
	report(report_data, twist);
	tpm_forge_sevsnp(forge.bytes, &tee);
	tpm_forge_field(&chain, 1, (struct span){ vceks[chip], vcek_lens[chip] });
	tpm_forge_field(&tee, 2, tpm_forge_span(&chain));
	*out = writer_up_to(1 << 16);
	writer_bytes(out, p.message.bytes, p.message.len);
	tpm_forge_field(out, 8, tpm_forge_span(&tee));
	writer_done(&tee);
	writer_done(&chain);
	tpm_forge_parts_done(&p);
}

const struct verify_kind verify_kind_snp = {
	.mode = EVIDENCE_SNP,
	.at = FORGE_AT,
	.setup = setup,
	.teardown = teardown,
	.policy = policy,
	.endorse = endorse,
	.evidence = evidence,
	.fix_boot = fix_boot,
	.bound = "policy.report_data",
	.same = (const struct verify_same[]){ { TWIST_MEASUREMENT, "run.same_measurement" },
					      { TWIST_GUEST, "run.same_report_id" },
					      { TWIST_CHIP, "run.same_chip" },
					      { TWIST_CONFIG, "run.same_host_data" },
					      { .check = NULL } },
	.agrees = true,
};

const struct verify_kind verify_kind_snp_vtpm = {
	.mode = EVIDENCE_SNP_VTPM,
	.at = FORGE_AT,
	.setup = setup_both,
	.teardown = teardown_both,
	.policy = policy_both,
	.endorse = endorse,
	.evidence = evidence_both,
	.fix_boot = fix_boot,
	.bound = "policy.report_data",
	.same = (const struct verify_same[]){ { TWIST_MEASUREMENT, "run.same_measurement" },
					      { TWIST_GUEST, "run.same_report_id" },
					      { TWIST_CHIP, "run.same_chip" },
					      { TWIST_CONFIG, "run.same_host_data" },
					      { TWIST_AK, "run.same_ak" },
					      { TWIST_BOOT, "run.same_boot" },
					      { .check = NULL } },
	.agrees = true,
};
