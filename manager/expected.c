/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/expected.h"

#include "attestation/igvm_measure.h"
#include "attestation/snp_measure.h"
#include "attestation/tdx_measure.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <string.h>

enum { SNP_FEATURES = 1, FIRMWARE_MAX = OVMF_IMAGE_MAX }; /* SNP active: what QEMU sets */

static void write_hex(struct writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(bytes, len, hex);
	writer_printf(w, "\"%s\":[\"%s\"]", key, hex);
}

/* The first event of the agent's: the boot configuration, into PCR14. Nothing is in PCR16 until a
 * manifest comes. */
static int write_bank(struct writer *w, enum digest_kind kind, const char *name,
		      const uint8_t *event, struct err *e)
{
	const uint8_t zeros[DIGEST_MAX] = { 0 };
	size_t len = digest_len(kind);
	const struct digest_part parts[] = { { zeros, len }, { event, len } };
	uint8_t pcr14[DIGEST_MAX];

	if (digest_parts(kind, parts, ARRAY_LEN(parts), pcr14, e) < 0)
		return -(int)e->code;
	writer_printf(w, "\"%s\":{", name);
	write_hex(w, "14", pcr14, len);
	writer_text(w, ",");
	write_hex(w, "16", zeros, len);
	writer_text(w, "}");
	return 0;
}

static int write_plain(struct writer *w, const struct image *image, const struct config *config,
		       const struct cvm *cvm, struct err *e)
{
	writer_text(w, "\"tpm\":{\"pcrs\":{");
	if (write_bank(w, DIGEST_SHA256, "sha256", cvm->boot_sha3_256, e) < 0)
		return -(int)e->code;
	writer_text(w, ",");
	if (write_bank(w, DIGEST_SHA384, "sha384", cvm->boot_sha3_384, e) < 0)
		return -(int)e->code;
	writer_text(w, "}}");
	return 0;
}

/* With firmware: direct boot. */
static int measure_snp(const struct image *image, const struct cvm *cvm, struct span firmware,
		       uint8_t out[SNP_MEASURE_LEN_MAX], struct err *e)
{
	struct snp_measure m = {
		.mode = SNP_MEASURE_SNP,
		.vcpus = cvm->cpus,
		.vmm = VMSA_QEMU,
		.guest_features = SNP_FEATURES,
		.ovmf = firmware,
		.has_kernel = true,
	};
	size_t len;

	if (!vmsa_cpu_type(cvm->cpu_type, &m.vcpu_signature))
		return err_set(e, ERR_PRECONDITION, "CPU type '%s' has no signature that is known",
			       cvm->cpu_type);
	memcpy(m.kernel, image->kernel.sha256, sizeof(m.kernel));
	memcpy(m.initrd, image->initrd.sha256, sizeof(m.initrd));
	if (snp_measure_cmdline(cvm->cmdline, m.cmdline, e) < 0)
		return -(int)e->code;
	return snp_measure(&m, out, &len, e);
}

/* An IGVM file has all of it inside. */
static int measure_igvm(struct span file, uint8_t out[SNP_DIGEST_LEN], struct err *e)
{
	const struct igvm_measure how = { .platform = IGVM_SEV_SNP, .check_kvm = true,
					  .as_loaded = true };
	enum igvm_id_block id_block;
	struct igvm igvm;
	size_t len;

	if (igvm_open(file, &igvm, e) < 0)
		return -(int)e->code;
	return igvm_measure(&igvm, &how, out, &len, &id_block, e);
}

static int write_snp(struct writer *w, const struct image *image, const struct config *config,
		     const struct cvm *cvm, struct err *e)
{
	CLEANUP(free) uint8_t *firmware = NULL;
	uint8_t measurement[SNP_MEASURE_LEN_MAX];
	size_t len;

	if (file_read(cvm->firmware, FIRMWARE_MAX, &firmware, &len, e) < 0)
		return -(int)e->code;
	if (config->igvm ? measure_igvm((struct span){ firmware, len }, measurement, e) < 0 :
			   measure_snp(image, cvm, (struct span){ firmware, len }, measurement, e) < 0)
		return -(int)e->code;
	writer_text(w, "\"snp\":{");
	write_hex(w, "measurements", measurement, SNP_DIGEST_LEN);
	writer_text(w, ",");
	write_hex(w, "host_data", cvm->boot_sha3_256, SHA3_256_LEN);
	if (config->snp_policy_bits & SNP_POLICY_SMT)
		writer_text(w, ",\"allow\":[\"smt\"]");
	writer_text(w, "}");
	return 0;
}

static int write_tdx(struct writer *w, const struct image *image, const struct config *config,
		     const struct cvm *cvm, struct err *e)
{
	CLEANUP(free) uint8_t *firmware = NULL;
	uint8_t mrtd[SHA384_LEN];
	size_t len;

	if (config->igvm)
		return err_set(e, ERR_PRECONDITION, "the MRTD of an IGVM file");
	if (file_read(cvm->firmware, FIRMWARE_MAX, &firmware, &len, e) < 0 ||
	    tdx_measure(&(struct tdx_measure){ .firmware = { firmware, len },
					       .order = TDX_PAGE_BY_PAGE }, mrtd, e) < 0)
		return -(int)e->code;
	writer_text(w, "\"tdx\":{");
	write_hex(w, "mrtd", mrtd, sizeof(mrtd));
	writer_text(w, ",");
	write_hex(w, "mrconfigid", cvm->boot_sha3_384, SHA3_384_LEN);
	writer_text(w, "}");
	return 0;
}

static int (*const writers[])(struct writer *w, const struct image *image, const struct config *config,
			      const struct cvm *cvm, struct err *e) = {
	[DOMAIN_PLAIN] = write_plain,
	[DOMAIN_SNP] = write_snp,
	[DOMAIN_TDX] = write_tdx,
};

int expected_compute(const struct image *image, const struct config *config, struct cvm *cvm,
		     struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(cvm->expected) - 1);

	writer_text(&w, "{\"cocos\":1,");
	if (writers[cvm->tee](&w, image, config, cvm, e) < 0)
		return -(int)e->code;
	writer_text(&w, "}");
	if (writer_check(&w, "the policy", e) < 0)
		return -(int)e->code;
	memcpy(cvm->expected, w.bytes, w.len);
	cvm->expected[w.len] = '\0';
	return 0;
}
