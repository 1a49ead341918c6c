/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/reference.h"

#include "attestation/measure/igvm_boot.h"
#include "attestation/measure/igvm_measure.h"
#include "attestation/measure/rtmr0.h"
#include "attestation/measure/snp_measure.h"
#include "attestation/measure/tdx_measure.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/kex_group.h"
#include "common/manifest/manifest.h"

#include <string.h>

enum { SNP_FEATURES = 1 /* SNP active: what QEMU sets */ };

static const char *const names[] = {
	[REFERENCE_TPM] = "vtpm",
	[REFERENCE_SNP] = "snp",
	[REFERENCE_TDX] = "tdx",
};

bool reference_tee_of(const char *name, enum reference_tee *tee)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*tee = (enum reference_tee)i;
			return true;
		}
	return false;
}

/* ---- the image's files ---- */

static int read_file(const struct image_file *file, uint8_t **bytes, struct span *span,
		     struct err *e)
{
	uint8_t found[SHA256_LEN];

	if (file_read(file->path, EFI_BOOT_INITRD_MAX, bytes, &span->len, e) < 0 ||
	    digest(DIGEST_SHA256, *bytes, span->len, found, e) < 0)
		return err_code(e);
	if (memcmp(found, file->sha256, sizeof(found)) != 0)
		return err_set(e, ERR_PRECONDITION, "'%s' was changed meanwhile", file->path);
	span->bytes = *bytes;
	return 0;
}

int reference_boot(const struct image *image, const char *cmdline, struct efi_boot *boot,
		   struct err *e)
{
	CLEANUP(free) uint8_t *kernel_bytes = NULL, *initrd_bytes = NULL;
	struct span kernel, initrd;

	if (read_file(&image->kernel, &kernel_bytes, &kernel, e) < 0 ||
	    read_file(&image->initrd, &initrd_bytes, &initrd, e) < 0)
		return err_code(e);
	return efi_boot_measure(kernel, initrd, cmdline, image->min_memory_mib, boot, e);
}

/* ---- writing ---- */

static void write_values(struct writer *w, const char *key, const uint8_t *values, size_t count,
			 size_t len, size_t step)
{
	char hex[2 * DIGEST_MAX + 1];

	writer_printf(w, "\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		hex_encode(values + i * step, len, hex);
		writer_printf(w, "%s\"%s\"", i ? "," : "", hex);
	}
	writer_text(w, "]");
}

static void write_one(struct writer *w, const char *key, const uint8_t *value, size_t len)
{
	write_values(w, key, value, 1, len, len);
}

static void write_registers(struct writer *w, const char *prefix,
			    const struct efi_boot_values *values, size_t count)
{
	char key[16];

	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%s%u", prefix, values[i].index);
		writer_text(w, i ? "," : "");
		write_values(w, key, values[i].values[0], values[i].count, values[i].len,
			     DIGEST_MAX);
	}
}

/* ---- a TPM alone ---- */

static int write_bank(struct writer *w, const struct efi_boot *boot, size_t bank,
		      const uint8_t *pcr16, struct err *e)
{
	CLEANUP(free) struct efi_boot_values *values = calloc(EFI_BOOT_PCRS, sizeof(*values));

	if (!values)
		return err_nomem(e);
	if (efi_boot_pcrs(boot, bank, values, e) < 0)
		return err_code(e);
	writer_printf(w, "\"%s\":{", bank == EFI_BOOT_SHA256 ? "sha256" : "sha384");
	write_registers(w, "", values, EFI_BOOT_PCRS);
	if (pcr16) {
		writer_text(w, ",");
		write_one(w, "16", pcr16, values[0].len);
	}
	writer_text(w, "}");
	return 0;
}

static int write_tpm(const struct reference *x, const struct efi_boot *boot, struct writer *w,
		     struct err *e)
{
	const struct manifest_digests *m = x->manifest;

	writer_text(w, "\"tpm\":{\"pcrs\":{");
	if (write_bank(w, boot, EFI_BOOT_SHA256, m ? m->pcr16_sha256 : NULL, e) < 0)
		return err_code(e);
	writer_text(w, ",");
	if (write_bank(w, boot, EFI_BOOT_SHA384, m ? m->pcr16_sha384 : NULL, e) < 0)
		return err_code(e);
	writer_text(w, "}}");
	return 0;
}

/* ---- SNP ---- */

static int read_firmware(const struct reference *x, uint8_t **bytes, struct span *span,
			 struct err *e)
{
	if (file_read(x->firmware, OVMF_IMAGE_MAX, bytes, &span->len, e) < 0)
		return err_wrap(e, "firmware");
	span->bytes = *bytes;
	return 0;
}

/* What is booted, by its digests. */
static int name_boot(const struct reference *x, struct snp_measure *m, struct err *e)
{
	m->has_kernel = true;
	memcpy(m->kernel, x->image->kernel.sha256, sizeof(m->kernel));
	memcpy(m->initrd, x->image->initrd.sha256, sizeof(m->initrd));
	return snp_measure_cmdline(x->cmdline, m->cmdline, e);
}

/* With firmware: direct boot. */
static int measure_snp(const struct reference *x, struct span firmware,
		       uint8_t out[SNP_MEASURE_LEN_MAX], struct err *e)
{
	struct snp_measure m = {
		.mode = SNP_MEASURE_SNP,
		.vcpus = x->cpus,
		.vmm = VMSA_QEMU,
		.guest_features = SNP_FEATURES,
		.ovmf = firmware,
	};
	size_t len;

	if (!vmsa_cpu_type(x->cpu_type, &m.vcpu_signature))
		return err_set(e, ERR_PRECONDITION, "CPU type '%s' has no signature that is known",
			       x->cpu_type);
	if (name_boot(x, &m, e) < 0)
		return err_code(e);
	return snp_measure(&m, out, &len, e);
}

/* An IGVM file has all of it inside, or it is no policy for this image. */
static int measure_igvm(const struct reference *x, struct span file,
			uint8_t out[SNP_MEASURE_LEN_MAX], struct err *e)
{
	struct snp_measure boot = { .mode = SNP_MEASURE_SNP };
	const struct igvm_measure how = { .platform = IGVM_SEV_SNP,
					  .check_kvm = true,
					  .as_loaded = true };
	enum igvm_id_block id_block;
	struct igvm igvm;
	size_t len;

	if (igvm_open(file, &igvm, e) < 0 || name_boot(x, &boot, e) < 0 ||
	    igvm_boot_check(&igvm, &boot, e) < 0 ||
	    igvm_measure(&igvm, &how, out, &len, &id_block, e) < 0)
		return err_code(e);
	if (id_block == IGVM_ID_BLOCK_MISMATCH)
		return err_set(e, ERR_PRECONDITION,
			       "IGVM: the file's ID block names another digest: no firmware would "
			       "start it");
	return 0;
}

static int write_snp(const struct reference *x, const struct efi_boot *boot, struct writer *w,
		     struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t measurement[SNP_MEASURE_LEN_MAX];
	struct span firmware;
	int failed;

	if (read_firmware(x, &bytes, &firmware, e) < 0)
		return err_code(e);
	failed = x->igvm ? measure_igvm(x, firmware, measurement, e)
			 : measure_snp(x, firmware, measurement, e);
	if (failed)
		return failed;
	writer_text(w, "\"snp\":{");
	write_one(w, "measurements", measurement, SNP_DIGEST_LEN);
	if (x->smt)
		writer_text(w, ",\"allow\":[\"smt\"]");
	writer_text(w, "}");
	return 0;
}

/* ---- TDX ---- */

/* In the two ways in which kernels of hosts build a TD. */
static int measure_mrtd(struct span firmware, uint8_t mrtd[2][SHA384_LEN], struct err *e)
{
	static const enum tdx_measure_order orders[] = { TDX_PAGE_BY_PAGE, TDX_TWO_PASSES };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		const struct tdx_measure how = { .firmware = firmware, .order = orders[i] };

		if (tdx_measure(&how, mrtd[i], e) < 0)
			return err_code(e);
	}
	return 0;
}

/* RTMR0 has them in it; these say which one it is where a machine has others (`tables` of a policy). */
static void write_tables(const struct launch_tables *tables, struct writer *w)
{
	writer_text(w, "\"tables\":[");
	for (size_t i = 0; i < tables->count; i++) {
		writer_printf(w, "%s{\"name\":\"%s\",\"sha384\":\"", i ? "," : "",
			      tables->tables[i].name);
		writer_hex(w, tables->tables[i].digest, SHA384_LEN);
		writer_text(w, "\"}");
	}
	writer_text(w, "],");
}

static int write_rtmr0(const struct reference *x, struct span firmware, struct writer *w,
		       struct err *e)
{
	uint8_t computed[RTMR0_VALUES][SHA384_LEN];
	struct rtmr0_parts parts;

	if (x->tables) {
		if (rtmr0_measure(firmware, x->memory, x->tables, &parts, e) < 0 ||
		    rtmr0_values(&parts, computed, e) < 0)
			return err_wrap(e, "RTMR0 can't be computed, but --rtmr0 can name it");
		write_values(w, "rtmr0", computed[0], RTMR0_VALUES, SHA384_LEN, SHA384_LEN);
		writer_text(w, ",");
		write_tables(x->tables, w);
	} else if (x->rtmr0_count) {
		write_values(w, "rtmr0", x->rtmr0[0], x->rtmr0_count, SHA384_LEN, SHA384_LEN);
		writer_text(w, ",");
	}
	return 0;
}

static int write_tdx(const struct reference *x, const struct efi_boot *boot, struct writer *w,
		     struct err *e)
{
	CLEANUP(free) struct efi_boot_values *values = calloc(EFI_BOOT_RTMRS, sizeof(*values));
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t mrtd[2][SHA384_LEN];
	struct span firmware;

	if (!values)
		return err_nomem(e);
	if (x->igvm)
		return err_set(e, ERR_PRECONDITION, "the MRTD of an IGVM file can't be computed");
	if (read_firmware(x, &bytes, &firmware, e) < 0 || measure_mrtd(firmware, mrtd, e) < 0 ||
	    efi_boot_rtmrs(boot, values, e) < 0)
		return err_code(e);
	writer_text(w, "\"tdx\":{");
	write_values(w, "mrtd", mrtd[0], 2, SHA384_LEN, SHA384_LEN);
	writer_text(w, ",");
	if (write_rtmr0(x, firmware, w, e) < 0)
		return err_code(e);
	write_registers(w, "rtmr", values, EFI_BOOT_RTMRS);
	writer_text(w, "}");
	return 0;
}

/* ---- all ---- */

static const struct form {
	int (*write)(const struct reference *x, const struct efi_boot *boot, struct writer *w,
		     struct err *e);
	bool boot;  /* firmware's measurements of the files are in it */
	bool fixed; /* the TEE can fix the boot configuration at launch */
} forms[] = {
	[REFERENCE_TPM] = { write_tpm, true, false },
	[REFERENCE_SNP] = { write_snp, false, true },
	[REFERENCE_TDX] = { write_tdx, true, true },
};

static void write_run(const struct form *form, const struct reference *x, struct writer *w)
{
	writer_text(w, ",\"run\":{\"kernel\":");
	writer_text(w, x->image->own_kernel ? "\"own\"" : "\"stock\"");
	if (form->fixed)
		writer_text(w, ",\"fixed_boot\":true");
	if (x->manifest) {
		writer_text(w, ",");
		write_one(w, "manifests", x->manifest->sha3_256, SHA3_256_LEN);
	}
	writer_text(w, "}");
}

static void write_tls(uint32_t groups, struct writer *w)
{
	const char *before = ",\"tls\":{\"groups\":[\"";

	if (!groups)
		return;
	for (size_t i = 0; i < KEX_GROUPS; i++) {
		if (!(groups & UINT32_C(1) << i))
			continue;
		writer_text(w, before);
		writer_text(w, kex_groups[i].name);
		before = "\",\"";
	}
	writer_text(w, "\"]}");
}

int reference_policy(enum reference_tee tee, const struct reference *x, struct writer *w,
		     struct err *e)
{
	CLEANUP(free) struct efi_boot *own = NULL;
	const struct efi_boot *boot = x->boot;

	if (forms[tee].boot && !boot) {
		own = calloc(1, sizeof(*own));
		if (!own)
			return err_nomem(e);
		if (reference_boot(x->image, x->cmdline, own, e) < 0)
			return err_code(e);
		boot = own;
	}
	writer_text(w, "{\"cocos\":1,");
	if (forms[tee].write(x, boot, w, e) < 0)
		return err_code(e);
	write_run(&forms[tee], x, w);
	write_tls(x->tls_groups, w);
	writer_text(w, "}\n");
	return writer_check(w, "the policy", e);
}
