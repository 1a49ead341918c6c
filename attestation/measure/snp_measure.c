/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/snp_measure.h"

#include <string.h>

enum { GUID = OVMF_GUID_LEN, HASH_ENTRY_LEN = GUID + 2 + SHA256_LEN, HASHES_USED = 168 };

/* 9438d606-4f22-4cc9-b479-a793d411fd21 */
static const uint8_t guid_table[GUID] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
					  0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
/* 97d02dd8-bd20-4c94-aa78-e7714d36ab2a */
static const uint8_t guid_cmdline[GUID] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
					    0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
/* 44baf731-3a2f-4bd7-9af1-41e29169781d */
static const uint8_t guid_initrd[GUID] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
					   0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
/* 4de79437-abd2-427f-b835-d5b172d2045b */
static const uint8_t guid_kernel[GUID] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
					   0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

#define FOUR_GIB UINT64_C(0x100000000)

bool snp_measure_mode_of(const char *name, enum snp_measure_mode *mode)
{
	static const char *const names[] = {
		[SNP_MEASURE_SNP] = "snp",
		[SNP_MEASURE_SEV] = "sev",
		[SNP_MEASURE_SEVES] = "seves",
		[SNP_MEASURE_SVSM] = "snp:svsm",
		[SNP_MEASURE_OVMF_HASH] = "snp:ovmf-hash",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*mode = (enum snp_measure_mode)i;
			return true;
		}
	return false;
}

int snp_measure_cmdline(const char *text, uint8_t out[SHA256_LEN], struct err *e)
{
	return digest(DIGEST_SHA256, text, strlen(text) + 1, out, e);
}

static void put_entry(uint8_t *at, const uint8_t guid[GUID], const uint8_t hash[SHA256_LEN])
{
	memcpy(at, guid, GUID);
	at[GUID] = HASH_ENTRY_LEN;
	memcpy(at + GUID + 2, hash, SHA256_LEN);
}

void snp_measure_hashes(const struct snp_measure *m, uint8_t table[SNP_HASHES_TABLE_LEN])
{
	uint8_t *entry = table + GUID + 2;

	memset(table, 0, SNP_HASHES_TABLE_LEN);
	memcpy(table, guid_table, GUID);
	table[GUID] = HASHES_USED;
	put_entry(entry, guid_cmdline, m->cmdline);
	put_entry(entry + HASH_ENTRY_LEN, guid_initrd, m->initrd);
	put_entry(entry + 2 * HASH_ENTRY_LEN, guid_kernel, m->kernel);
}

/* The page with the table where the firmware expects it, or a page of zeros without a kernel. */
static int add_hashes(struct snp_launch *launch, const struct snp_measure *m,
		      const struct ovmf *ovmf, const struct ovmf_section *section, struct err *e)
{
	uint8_t page[SNP_PAGE_LEN] = { 0 };
	uint32_t in_page = ovmf->hashes_gpa % SNP_PAGE_LEN;

	if (!m->has_kernel)
		return snp_launch_range(launch, SNP_PAGE_ZERO, section->gpa, NULL, section->len, e);
	if (section->len != SNP_PAGE_LEN || ovmf->hashes_gpa - in_page != section->gpa ||
	    in_page + SNP_HASHES_TABLE_LEN > SNP_PAGE_LEN)
		return err_set(e, ERR_INVALID,
			       "firmware: the hashes table at 0x%x does not lie in its section",
			       ovmf->hashes_gpa);
	snp_measure_hashes(m, page + in_page);
	return snp_launch_page(launch, SNP_PAGE_NORMAL, section->gpa, page, e);
}

static int add_section(struct snp_launch *launch, const struct snp_measure *m,
		       const struct ovmf *ovmf, const struct ovmf_section *section, struct err *e)
{
	enum snp_page_type memory = m->vmm == VMSA_GCE ? SNP_PAGE_UNMEASURED : SNP_PAGE_ZERO;

	switch (section->type) {
	case OVMF_SEC_MEM:
		return snp_launch_range(launch, memory, section->gpa, NULL, section->len, e);
	case OVMF_SECRETS:
		return snp_launch_page(launch, SNP_PAGE_SECRETS, section->gpa, NULL, e);
	case OVMF_CPUID:
		return snp_launch_page(launch, SNP_PAGE_CPUID, section->gpa, NULL, e);
	case OVMF_SVSM_CAA:
		return snp_launch_range(launch, SNP_PAGE_ZERO, section->gpa, NULL, section->len, e);
	default:
		return add_hashes(launch, m, ovmf, section, e);
	}
}

/* In the order of the metadata; EC2 leaves the CPUID pages to the end. */
static int add_sections(struct snp_launch *launch, const struct snp_measure *m,
			const struct ovmf *ovmf, struct err *e)
{
	if (ovmf_check_sections(ovmf, e) < 0)
		return err_code(e);
	if (m->has_kernel && !ovmf_has_section(ovmf, OVMF_KERNEL_HASHES))
		return err_set(e, ERR_INVALID,
			       "a kernel is given, but the firmware has no section for its hashes "
			       "(build it from OvmfPkg/AmdSev)");
	for (int late = 0; late <= (m->vmm == VMSA_EC2); late++)
		for (size_t i = 0; i < ovmf->section_count; i++) {
			const struct ovmf_section *s = &ovmf->sections[i];

			if (m->vmm == VMSA_EC2 && late != (s->type == OVMF_CPUID))
				continue;
			if (add_section(launch, m, ovmf, s, e) < 0)
				return err_code(e);
		}
	return 0;
}

/* Receives each processor's page, and its digest, which is the same for all but the first. */
typedef int vmsa_fn(void *to, const uint8_t page[SNP_PAGE_LEN],
		    const uint8_t contents[SNP_DIGEST_LEN], struct err *e);

static int each_vmsa(const struct snp_measure *m, const uint8_t *boot, const uint8_t *other,
		     vmsa_fn *add, void *to, struct err *e)
{
	uint8_t contents[SNP_DIGEST_LEN];
	const uint8_t *page = boot;

	for (unsigned i = 0; i < m->vcpus; i++, page = other) {
		if (i < 2 && digest(DIGEST_SHA384, page, SNP_PAGE_LEN, contents, e) < 0)
			return err_code(e);
		if (add(to, page, contents, e) < 0 || (m->vmsa && m->vmsa(m->data, i, page, e) < 0))
			return err_code(e);
	}
	return 0;
}

static int add_to_launch(void *to, const uint8_t *page, const uint8_t *contents, struct err *e)
{
	return snp_launch_contents(to, SNP_PAGE_VMSA, SNP_VMSA_GPA, contents, e);
}

static int add_to_stream(void *to, const uint8_t *page, const uint8_t *contents, struct err *e)
{
	digest_add(to, page, SNP_PAGE_LEN);
	return 0;
}

static int add_vmsas(const struct snp_measure *m, const struct ovmf *ovmf, uint64_t features,
		     vmsa_fn *add, void *to, struct err *e)
{
	uint8_t boot[SNP_PAGE_LEN], other[SNP_PAGE_LEN];

	if (!ovmf->has_reset)
		return err_set(e, ERR_INVALID,
			       "the firmware has no SEV-ES reset block: it starts no processor");
	vmsa_make(m->vmm, VMSA_BOOT_EIP, m->vcpu_signature, features, boot);
	vmsa_make(m->vmm, ovmf->reset_eip, m->vcpu_signature, features, other);
	return each_vmsa(m, boot, other, add, to, e);
}

/* Where an image that ends at `end` begins. */
static int image_gpa(struct span image, uint64_t end, uint64_t *gpa, struct err *e)
{
	if (image.len % SNP_PAGE_LEN || image.len > end)
		return err_set(e, ERR_INVALID,
			       "an image of %zu bytes is not whole pages, or too "
			       "large for its place",
			       image.len);
	*gpa = end - image.len;
	return 0;
}

static int measure_snp(const struct snp_measure *m, struct snp_launch *launch, struct err *e)
{
	struct ovmf ovmf;
	uint64_t gpa;

	if (ovmf_parse(m->ovmf, &ovmf, e) < 0 || image_gpa(m->ovmf, FOUR_GIB, &gpa, e) < 0)
		return err_code(e);
	if (m->ovmf_hash)
		memcpy(launch->digest, m->ovmf_hash, SNP_DIGEST_LEN);
	else if (snp_launch_range(launch, SNP_PAGE_NORMAL, gpa, m->ovmf.bytes, m->ovmf.len, e) < 0)
		return err_code(e);
	if (m->mode == SNP_MEASURE_OVMF_HASH)
		return 0;
	if (add_sections(launch, m, &ovmf, e) < 0)
		return err_code(e);
	return add_vmsas(m, &ovmf, m->guest_features, add_to_launch, launch, e);
}

static int measure_svsm(const struct snp_measure *m, struct snp_launch *launch, struct err *e)
{
	struct snp_measure plain = *m;
	uint8_t page[SNP_PAGE_LEN];
	uint64_t ovmf_gpa, svsm_gpa;
	struct ovmf svsm, ovmf;

	if (m->vmm != VMSA_QEMU)
		return err_set(e, ERR_INVALID, "an SVSM is launched by QEMU only");
	plain.has_kernel = false;
	if (ovmf_parse(m->svsm, &svsm, e) < 0 || ovmf_parse(m->ovmf, &ovmf, e) < 0 ||
	    image_gpa(m->ovmf, FOUR_GIB, &ovmf_gpa, e) < 0)
		return err_code(e);
	if (!svsm.has_svsm)
		return err_set(e, ERR_INVALID, "the SVSM image has no SVSM entry in its table");
	if (m->vars_size % SNP_PAGE_LEN || m->vars_size > ovmf_gpa)
		return err_set(e, ERR_INVALID, "the size of the variables is not whole pages");
	if (image_gpa(m->svsm, ovmf_gpa - m->vars_size, &svsm_gpa, e) < 0)
		return err_wrap(e, "SVSM");
	if (snp_launch_range(launch, SNP_PAGE_NORMAL, ovmf_gpa, m->ovmf.bytes, m->ovmf.len, e) <
		    0 ||
	    snp_launch_range(launch, SNP_PAGE_NORMAL, svsm_gpa, m->svsm.bytes, m->svsm.len, e) <
		    0 ||
	    add_sections(launch, &plain, &svsm, e) < 0)
		return err_code(e);
	vmsa_make_svsm(svsm_gpa + svsm.svsm_launch_offset, m->vcpu_signature, page);
	return each_vmsa(m, page, page, add_to_launch, launch, e);
}

/* SEV and SEV-ES: one SHA-256 over firmware, hashes table and VMSAs. */
static int measure_sev(const struct snp_measure *m, struct digest_stream *stream, struct err *e)
{
	uint8_t table[SNP_HASHES_TABLE_LEN];
	struct ovmf ovmf;

	if (ovmf_parse(m->ovmf, &ovmf, e) < 0)
		return err_code(e);
	digest_add(stream, m->ovmf.bytes, m->ovmf.len);
	if (m->has_kernel && !ovmf.hashes_gpa)
		return err_set(e, ERR_INVALID,
			       "a kernel is given, but the firmware has no place for its hashes "
			       "(build it from OvmfPkg/AmdSev)");
	if (m->has_kernel) {
		snp_measure_hashes(m, table);
		digest_add(stream, table, sizeof(table));
	}
	if (m->mode == SNP_MEASURE_SEV)
		return 0;
	return add_vmsas(m, &ovmf, 0, add_to_stream, stream, e);
}

int snp_measure(const struct snp_measure *m, uint8_t out[SNP_MEASURE_LEN_MAX], size_t *len,
		struct err *e)
{
	CLEANUP_SNP_LAUNCH struct snp_launch launch = { .trace = m->trace, .trace_data = m->data };
	bool processors = m->mode != SNP_MEASURE_SEV && m->mode != SNP_MEASURE_OVMF_HASH;
	int failed;

	if (processors && (m->vcpus < 1 || m->vcpus > SNP_MEASURE_VCPUS_MAX))
		return err_set(e, ERR_INVALID, "%u processors; wanted 1 to %d", m->vcpus,
			       SNP_MEASURE_VCPUS_MAX);
	if (m->mode == SNP_MEASURE_SEV || m->mode == SNP_MEASURE_SEVES) {
		CLEANUP(digest_free) struct digest_stream *stream = digest_new(DIGEST_SHA256, e);

		if (!stream || measure_sev(m, stream, e) < 0 || digest_finish(stream, out, e) < 0)
			return err_code(e);
		*len = SHA256_LEN;
		return 0;
	}
	failed = m->mode == SNP_MEASURE_SVSM ? measure_svsm(m, &launch, e)
					     : measure_snp(m, &launch, e);
	if (failed)
		return failed;
	memcpy(out, launch.digest, SNP_DIGEST_LEN);
	*len = SNP_DIGEST_LEN;
	return 0;
}
