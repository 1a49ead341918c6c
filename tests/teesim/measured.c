/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/measured.h"

#include <string.h>

#include "attestation/snp_measure.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"

enum { SNP_FEATURES = 1 };

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
		return -(int)e->code;
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
		return -(int)e->code;
	m.ovmf.bytes = firmware;
	if (!vmsa_cpu_type(l->cpu, &m.vcpu_signature))
		return err_set(e, ERR_INVALID, "-cpu %s has no signature that is known", l->cpu);
	if (digest_file(DIGEST_SHA256, l->kernel, m.kernel, e) < 0 ||
	    digest_file(DIGEST_SHA256, l->initrd, m.initrd, e) < 0 ||
	    snp_measure_cmdline(l->append, m.cmdline, e) < 0)
		return -(int)e->code;
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
		return -(int)e->code;
	if (!hashes)
		return err_set(e, ERR_INVALID, "without kernel-hashes nobody measures the kernel");
	if (measure_snp(l, measurement, e) < 0)
		return -(int)e->code;
	writer_text(w, "\"tee\":\"snp\",");
	writer_printf(w, "\"policy\":%llu,", (unsigned long long)policy);
	write_bytes(w, "measurement", measurement, SNP_DIGEST_LEN);
	write_bytes(w, "host_data", host_data, sizeof(host_data));
	return 0;
}

int measured_write(const struct launch *l, struct writer *w, struct err *e)
{
	const char *type;

	if (json_get_string(l->tee, "qom-type", &type, e) < 0)
		return -(int)e->code;
	return write_snp(l, w, e);
}
