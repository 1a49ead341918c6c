/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a launch measures to, from firmware, kernel, initrd and command line as an owner has them from
 * others, edited (edits.h); and the policy made of all of it. What is measured, is so twice; a policy that
 * is made can be read.
 *
 * Head: the mode, processors, their type and monitor; bits below.
 */
#define EDITS_HEAD 4
#include "attestation/measure/reference.h"
#include "attestation/measure/snp_measure.h"
#include "attestation/measure/tdx_measure.h"
#include "attestation/policy/policy.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/manifest/manifest.h"
#include "tests/forge/firmware.h"
#include "tests/forge/must.h"
#include "tests/fuzz/edits.h"
#include "tests/fuzz/tdvf_small.h"
#include "tests/unit/attestation/measure/tiny_kernel.h"

#include <stdio.h>

enum { MEMORY_MAX = 4 << 20 /* of a launch; more takes long and leads nowhere else */ };
enum flag {
	FLAG_KERNEL = 1,
	FLAG_HASH = 2, /* in place of the firmware's pages */
	FLAG_SVSM = 4,
	FLAG_MANIFEST = 8,
	FLAG_SMT = 16,
	FLAG_IGVM = 32, /* the firmware is given as an IGVM file */
	FLAG_RTMR0 = 64,
	FLAG_FEATURES = 128,
};
enum part { PART_OVMF, PART_TDVF, PART_KERNEL, PART_INITRD, PART_CMDLINE, PART_SVSM, PARTS };

static struct edited parts[PARTS];
static char folder[] = "/dev/shm/fuzz-measure-XXXXXX";

static void leave(void)
{
	struct err e;

	(void)!dir_remove(folder, &e);
}

static void take_tdvf(void)
{
	struct writer w = writer_up_to(8192);

	tdvf_small(&w);
	edited_take(&parts[PART_TDVF], w.bytes, w.len);
	writer_done(&w);
}

static void take_parts(void)
{
	static const char cmdline[] = "console=ttyS0 quiet";
	uint8_t firmware[FORGE_FIRMWARE_LEN], kernel[TINY_LEN], initrd[TINY_INITRD_LEN];

	forge_firmware(firmware);
	tiny_kernel(kernel);
	tiny_initrd(initrd);
	edited_take(&parts[PART_OVMF], firmware, sizeof(firmware));
	edited_take(&parts[PART_KERNEL], kernel, sizeof(kernel));
	edited_take(&parts[PART_INITRD], initrd, sizeof(initrd));
	edited_take(&parts[PART_CMDLINE], cmdline, strlen(cmdline));
	edited_take(&parts[PART_SVSM], firmware, SNP_PAGE_LEN);
	take_tdvf();
}

static bool is_small(void)
{
	struct ovmf ovmf;
	struct tdvf tdvf;
	uint64_t total = 0;
	struct err e;

	if (ovmf_parse(edited_span(&parts[PART_OVMF]), &ovmf, &e) == 0)
		for (size_t i = 0; i < ovmf.section_count; i++)
			if (ovmf.sections[i].len > MEMORY_MAX ||
			    (total += ovmf.sections[i].len) > MEMORY_MAX)
				return false;
	if (tdvf_parse(edited_span(&parts[PART_TDVF]), &tdvf, &e) == 0)
		for (size_t i = 0; i < tdvf.count; i++)
			if (tdvf.sections[i].len > MEMORY_MAX ||
			    (total += tdvf.sections[i].len) > MEMORY_MAX)
				return false;
	return true;
}

static void count_step(void *data, const struct snp_step *step)
{
	MUST(snp_page_type_name(step->type));
	++*(size_t *)data;
}

static int count_vmsa(void *data, unsigned vcpu, const uint8_t page[SNP_PAGE_LEN], struct err *e)
{
	++*(size_t *)data;
	return 0;
}

static void try_snp(const uint8_t *head)
{
	static const uint8_t hash[SNP_DIGEST_LEN] = { 0x77 };
	size_t steps = 0, len, again_len;
	struct snp_measure m = {
		.mode = (enum snp_measure_mode)(head[0] % (SNP_MEASURE_OVMF_HASH + 1)),
		.vcpus = head[1] % 4,
		.vmm = (enum vmsa_vmm)(head[2] % 3),
		.vcpu_signature = vmsa_cpu_signature(head[1], head[2], head[0]),
		.guest_features = head[3] & FLAG_FEATURES ? 0x21 : 1,
		.ovmf = edited_span(&parts[PART_OVMF]),
		.has_kernel = head[3] & FLAG_KERNEL,
		.ovmf_hash = head[3] & FLAG_HASH ? hash : NULL,
		.trace = count_step,
		.vmsa = count_vmsa,
		.data = &steps,
	};
	uint8_t out[SNP_MEASURE_LEN_MAX], again[SNP_MEASURE_LEN_MAX];
	struct err e;

	if (head[3] & FLAG_SVSM)
		m.svsm = edited_span(&parts[PART_SVSM]), m.vars_size = SNP_PAGE_LEN;
	MUST(snp_measure_cmdline("line", m.cmdline, &e) == 0);
	if (snp_measure(&m, out, &len, &e) < 0)
		return;
	MUST(snp_measure(&m, again, &again_len, &e) == 0 && len == again_len);
	MUST(memcmp(out, again, len) == 0 && len <= sizeof(out));
}

static void try_tdx(const uint8_t *head)
{
	struct tdx_measure m = { .firmware = edited_span(&parts[PART_TDVF]),
				 .order = head[0] & 1 ? TDX_TWO_PASSES : TDX_PAGE_BY_PAGE };
	uint8_t mrtd[SHA384_LEN], again[SHA384_LEN];
	struct err e;

	if (tdx_measure(&m, mrtd, &e) < 0)
		return;
	MUST(tdx_measure(&m, again, &e) == 0 && memcmp(mrtd, again, sizeof(mrtd)) == 0);
}

static void put_file(enum part part, const char *name, char path[64], uint8_t digest_of[SHA256_LEN])
{
	struct edited *p = &parts[part];
	struct err e;

	snprintf(path, 64, "%s/%s", folder, name);
	MUST(file_write(path, p->bytes, p->len, 0600, &e) == 0);
	MUST(digest(DIGEST_SHA256, p->bytes, p->len, digest_of, &e) == 0);
}

/* The policy names what it was made for, and can be read; what runs is never left open. */
static void try_policy(const struct reference *x, enum reference_tee tee)
{
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	struct policy_file file = { .name = "made" };
	struct policy p;
	struct err e;

	if (reference_policy(tee, x, &w, &e) < 0)
		return;
	file.bytes = w.bytes;
	file.len = w.len;
	MUST(policy_parse(&file, 1, &p, &e) == 0);
	MUST(p.has_tpm == (tee == REFERENCE_TPM) && p.has_snp == (tee == REFERENCE_SNP) &&
	     p.has_tdx == (tee == REFERENCE_TDX));
	MUST(tee != REFERENCE_SNP || p.snp.measurements.count == 1);
	MUST(tee != REFERENCE_TDX || p.tdx.mrtd.count >= 1);
	MUST(tee != REFERENCE_TPM || p.tpm.count >= 2 * EFI_BOOT_PCRS);
	policy_done(&p);
}

static void try_reference(const uint8_t *head)
{
	static const struct manifest_digests manifest = { .sha3_256 = { 0x11 } };
	static const uint8_t rtmr0[1][SHA384_LEN] = { { 0x22 } };
	char kernel[64], initrd[64], firmware[2][64], cmdline[EDITED_ROOM + 1];
	struct image image = { .min_memory_mib = 256u * (head[1] % 16) };
	uint8_t unused[SHA256_LEN];
	struct reference x = { .image = &image,
			       .cmdline = cmdline,
			       .igvm = head[3] & FLAG_IGVM,
			       .cpus = head[1] % 4,
			       .cpu_type = vmsa_cpu_type_name(head[2] % 24),
			       .smt = head[3] & FLAG_SMT,
			       .rtmr0 = rtmr0,
			       .rtmr0_count = head[3] & FLAG_RTMR0 ? 1 : 0,
			       .manifest = head[3] & FLAG_MANIFEST ? &manifest : NULL };

	put_file(PART_KERNEL, "kernel", kernel, image.kernel.sha256);
	put_file(PART_INITRD, "initrd", initrd, image.initrd.sha256);
	put_file(PART_OVMF, "ovmf", firmware[0], unused);
	put_file(PART_TDVF, "tdvf", firmware[1], unused);
	image.kernel.path = kernel;
	image.initrd.path = initrd;
	memcpy(cmdline, parts[PART_CMDLINE].bytes, parts[PART_CMDLINE].len);
	cmdline[parts[PART_CMDLINE].len] = '\0';
	x.cpu_type = x.cpu_type ? x.cpu_type : "no such type";
	try_policy(&x, REFERENCE_TPM);
	x.firmware = firmware[0];
	try_policy(&x, REFERENCE_SNP);
	x.firmware = firmware[1];
	try_policy(&x, REFERENCE_TDX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static bool made;

	if (len < EDITS_HEAD)
		return 0;
	if (!made) {
		MUST(mkdtemp(folder));
		atexit(leave);
	}
	made = true;
	take_parts();
	edit_all(reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD), parts, PARTS, 0, PARTS);
	if (!is_small())
		return 0;
	try_snp(bytes);
	try_tdx(bytes);
	try_reference(bytes);
	return 0;
}
