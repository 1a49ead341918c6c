/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/igvm_measure.h"

#include "common/base/reader.h"

#include <string.h>

enum {
	PAGES_IN_2MIB = 512,
	VMSA_CR0 = 0x158,
	CR0_KVM = 0x30, /* ET and NE, which KVM sets itself; PE may be set too */
	CR0_PE = 1,
};

struct measuring {
	const struct igvm_measure *how;
	uint32_t mask;
	struct snp_launch launch;
	struct digest_stream *stream; /* SEV-ES and SEV; NULL on SEV-SNP */
	unsigned vmsas;
	const uint8_t *id_block_digest;
};

static int add_page(struct measuring *m, const struct igvm_directive *d, uint64_t gpa,
		    struct err *e)
{
	static const uint8_t zeros[SNP_PAGE_LEN];

	switch (d->data_type) {
	case IGVM_SECRETS:
		return snp_launch_page(&m->launch, SNP_PAGE_SECRETS, gpa, NULL, e);
	case IGVM_CPUID:
	case IGVM_CPUID_XF:
		return snp_launch_page(&m->launch, SNP_PAGE_CPUID, gpa, NULL, e);
	default:
		break;
	}
	if (d->unmeasured)
		return snp_launch_page(&m->launch, SNP_PAGE_UNMEASURED, gpa, NULL, e);
	if (!d->data.len && m->how->native_zero)
		return snp_launch_page(&m->launch, SNP_PAGE_ZERO, gpa, NULL, e);
	return snp_launch_page(&m->launch, SNP_PAGE_NORMAL, gpa,
			       d->data.len ? d->data.bytes : zeros, e);
}

static int visit_page(struct measuring *m, const struct igvm_directive *d, struct err *e)
{
	if (m->stream) {
		digest_add(m->stream, d->data.bytes, d->data.len);
		return 0;
	}
	for (uint64_t i = 0; i < (d->two_mib ? PAGES_IN_2MIB : 1); i++)
		if (add_page(m, d, d->gpa + i * SNP_PAGE_LEN, e) < 0)
			return err_code(e);
	return 0;
}

static int visit_parameters(struct measuring *m, const struct igvm_directive *d, struct err *e)
{
	if (m->stream)
		return 0;
	return snp_launch_range(&m->launch, SNP_PAGE_UNMEASURED, d->gpa, NULL,
				m->how->as_loaded ? d->area_len : SNP_PAGE_LEN, e);
}

static int check_kvm(const struct measuring *m, const struct igvm_directive *d, struct err *e)
{
	struct reader r = span_reader(d->data);
	uint64_t cr0;

	reader_skip(&r, VMSA_CR0);
	cr0 = reader_le64(&r);
	if (m->vmsas > 0)
		return err_set(e, ERR_INVALID,
			       "KVM: more than one VMSA; QEMU sets the first processor's only");
	if (d->gpa != SNP_VMSA_GPA)
		return err_set(e, ERR_INVALID, "KVM: VMSA at 0x%llx; KVM puts it at 0x%llx",
			       (unsigned long long)d->gpa, (unsigned long long)SNP_VMSA_GPA);
	if ((cr0 & ~(uint64_t)CR0_PE) != CR0_KVM)
		return err_set(e, ERR_INVALID, "KVM: CR0 0x%llx in the VMSA; KVM makes it 0x%x",
			       (unsigned long long)cr0, CR0_KVM | CR0_PE);
	return 0;
}

static int visit_vmsa(struct measuring *m, const struct igvm_directive *d, struct err *e)
{
	if (m->how->as_loaded && !(d->mask & m->mask))
		return 0;
	if (m->how->check_kvm && check_kvm(m, d, e) < 0)
		return err_code(e);
	m->vmsas++;
	if (!m->stream)
		return snp_launch_page(&m->launch, SNP_PAGE_VMSA, d->gpa, d->data.bytes, e);
	digest_add(m->stream, d->data.bytes, d->data.len);
	return 0;
}

static int visit(void *data, const struct igvm_directive *d, struct err *e)
{
	struct measuring *m = data;
	bool ours = d->mask & m->mask;

	if (d->kind == IGVM_VMSA)
		return visit_vmsa(m, d, e);
	if (d->kind == IGVM_ID_BLOCK) {
		if (ours)
			m->id_block_digest = d->launch_digest;
		return 0;
	}
	if (!ours)
		return 0;
	if (m->launch.steps > IGVM_MEASURE_PAGES_MAX)
		return err_set(e, ERR_INVALID, "IGVM: more than %d pages", IGVM_MEASURE_PAGES_MAX);
	if (m->how->check_kvm && m->vmsas > 0)
		return err_set(e, ERR_INVALID,
			       "KVM: pages after the VMSA; QEMU measures it last of all");
	return d->kind == IGVM_PAGE ? visit_page(m, d, e) : visit_parameters(m, d, e);
}

static void measuring_done(struct measuring *m)
{
	snp_launch_done(&m->launch);
	digest_free(m->stream);
}

int igvm_measure(const struct igvm *igvm, const struct igvm_measure *how,
		 uint8_t out[SNP_DIGEST_LEN], size_t *len, enum igvm_id_block *id_block,
		 struct err *e)
{
	__attribute__((cleanup(measuring_done))) struct measuring m = {
		.how = how,
		.mask = igvm_mask(igvm, how->platform),
		.launch = { .trace = how->trace, .trace_data = how->data },
	};

	if (!m.mask)
		return err_set(e, ERR_INVALID, "IGVM: the file is not for that platform");
	if (how->platform != IGVM_SEV_SNP && !(m.stream = digest_new(DIGEST_SHA256, e)))
		return err_code(e);
	if (igvm_each(igvm, visit, &m, e) < 0)
		return err_code(e);
	if (m.stream && digest_finish(m.stream, out, e) < 0)
		return err_code(e);
	if (!m.stream)
		memcpy(out, m.launch.digest, SNP_DIGEST_LEN);
	*len = m.stream ? SHA256_LEN : SNP_DIGEST_LEN;
	*id_block = IGVM_ID_BLOCK_NONE;
	if (m.id_block_digest && !m.stream)
		*id_block = memcmp(m.id_block_digest, out, SNP_DIGEST_LEN) == 0
				    ? IGVM_ID_BLOCK_MATCH
				    : IGVM_ID_BLOCK_MISMATCH;
	return 0;
}
