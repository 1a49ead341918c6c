/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/measured.h"

#include "attestation/measure/efi_boot.h"
#include "attestation/measure/snp_measure.h"
#include "attestation/measure/tdx_measure.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"

#include <stdio.h>
#include <string.h>

enum { SNP_FEATURES = 1, PE_MAX = 256 << 20 };

static void write_bytes(struct writer *w, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(bytes, len, hex);
	writer_printf(w, "\"%s\":\"%s\",", name, hex);
}

/* Base64 of exactly `len` bytes, or zeros where the launch names none. */
static int object_bytes(const struct json *object, const char *name, uint8_t *bytes, size_t len,
			struct err *e)
{
	CLEANUP(free) uint8_t *read = NULL;
	const char *text;
	size_t got;

	memset(bytes, 0, len);
	if (!json_get(object, name))
		return 0;
	if (json_get_string(object, name, &text, e) < 0 ||
	    base64_decode(text, strlen(text), &read, &got, e) < 0)
		return err_code(e);
	if (got != len)
		return err_set(e, ERR_INVALID, "%s: %zu bytes, not %zu", name, got, len);
	memcpy(bytes, read, len);
	return 0;
}

static int measure_snp(const struct launch *l, uint8_t out[SNP_MEASURE_LEN_MAX], struct err *e)
{
	CLEANUP(free) uint8_t *firmware = NULL;
	struct snp_measure m = { .mode = SNP_MEASURE_SNP,
				 .vcpus = l->cpus,
				 .vmm = VMSA_QEMU,
				 .guest_features = SNP_FEATURES,
				 .has_kernel = true };
	size_t len;

	if (file_read(l->firmware, OVMF_IMAGE_MAX, &firmware, &m.ovmf.len, e) < 0)
		return err_code(e);
	m.ovmf.bytes = firmware;
	if (!vmsa_cpu_type(l->cpu, &m.vcpu_signature))
		return err_set(e, ERR_INVALID, "-cpu %s has no signature that is known", l->cpu);
	if (digest_file(DIGEST_SHA256, l->kernel, m.kernel, e) < 0 ||
	    digest_file(DIGEST_SHA256, l->initrd, m.initrd, e) < 0 ||
	    snp_measure_cmdline(l->append, m.cmdline, e) < 0)
		return err_code(e);
	return snp_measure(&m, out, &len, e);
}

static int write_snp(const struct launch *l, struct writer *w, struct err *e)
{
	static const char *const known[] = { "qom-type",          "id",     "cbitpos",
					     "reduced-phys-bits", "policy", "host-data",
					     "kernel-hashes",     NULL };
	uint8_t measurement[SNP_MEASURE_LEN_MAX], host_data[SNP_HOST_DATA_LEN];
	uint64_t policy;
	bool hashes;

	if (json_only_keys(l->tee, known, e) < 0 ||
	    json_get_u64(l->tee, "policy", &policy, e) < 0 ||
	    json_get_bool(l->tee, "kernel-hashes", &hashes, e) < 0 ||
	    object_bytes(l->tee, "host-data", host_data, sizeof(host_data), e) < 0)
		return err_code(e);
	if (!hashes)
		return err_set(e, ERR_INVALID, "without kernel-hashes nobody measures the kernel");
	if (measure_snp(l, measurement, e) < 0)
		return err_code(e);
	writer_text(w, "\"tee\":\"snp\",");
	writer_printf(w, "\"policy\":%llu,", (unsigned long long)policy);
	write_bytes(w, "measurement", measurement, SNP_DIGEST_LEN);
	write_bytes(w, "host_data", host_data, sizeof(host_data));
	return 0;
}

static int measure_mrtd(const struct launch *l, uint8_t mrtd[SHA384_LEN], struct err *e)
{
	CLEANUP(free) uint8_t *firmware = NULL;
	struct tdx_measure m = { .order = TDX_PAGE_BY_PAGE };

	if (file_read(l->firmware, OVMF_IMAGE_MAX, &firmware, &m.firmware.len, e) < 0)
		return err_code(e);
	m.firmware.bytes = firmware;
	return tdx_measure(&m, mrtd, e);
}

/* What the firmware would put into RTMR1 and RTMR2 of the boot's files. RTMR0 stays zero: this
 * machine has no settings and no tables to measure. */
static int write_rtmrs(const struct launch *l, struct writer *w, struct err *e)
{
	CLEANUP(free) struct efi_boot *boot = calloc(1, sizeof(*boot));
	CLEANUP(free) struct efi_boot_values *values = calloc(EFI_BOOT_RTMRS, sizeof(*values));
	CLEANUP(free) uint8_t *kernel_bytes = NULL, *initrd_bytes = NULL;
	struct span kernel, initrd;
	char name[8];

	if (!boot || !values)
		return err_nomem(e);
	if (file_read(l->kernel, PE_MAX, &kernel_bytes, &kernel.len, e) < 0 ||
	    file_read(l->initrd, EFI_BOOT_INITRD_MAX, &initrd_bytes, &initrd.len, e) < 0)
		return err_code(e);
	kernel.bytes = kernel_bytes;
	initrd.bytes = initrd_bytes;
	if (efi_boot_measure(kernel, initrd, l->append, l->memory_mib, boot, e) < 0 ||
	    efi_boot_rtmrs(boot, values, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < EFI_BOOT_RTMRS; i++) {
		snprintf(name, sizeof(name), "rtmr%u", values[i].index);
		write_bytes(w, name, values[i].values[0], values[i].len); /* of this much memory */
	}
	return 0;
}

static int write_tdx(const struct launch *l, struct writer *w, struct err *e)
{
	static const char *const known[] = { "qom-type",   "id",      "attributes",
					     "mrconfigid", "mrowner", "mrownerconfig",
					     NULL };
	uint8_t mrtd[SHA384_LEN], value[SHA384_LEN], attributes[8];
	uint64_t number;

	if (json_only_keys(l->tee, known, e) < 0 ||
	    json_get_u64(l->tee, "attributes", &number, e) < 0 || measure_mrtd(l, mrtd, e) < 0)
		return err_code(e);
	writer_text(w, "\"tee\":\"tdx\",");
	write_bytes(w, "mrtd", mrtd, sizeof(mrtd));
	for (size_t i = 3; known[i]; i++) {
		if (object_bytes(l->tee, known[i], value, sizeof(value), e) < 0)
			return err_code(e);
		write_bytes(w, known[i], value, sizeof(value));
	}
	bytes_put_le(attributes, number, sizeof(attributes));
	write_bytes(w, "tdattributes", attributes, sizeof(attributes));
	return write_rtmrs(l, w, e);
}

int measured_write(const struct launch *l, struct writer *w, struct err *e)
{
	const char *type;

	if (json_get_string(l->tee, "qom-type", &type, e) < 0)
		return err_code(e);
	return strcmp(type, "tdx-guest") == 0 ? write_tdx(l, w, e) : write_snp(l, w, e);
}
