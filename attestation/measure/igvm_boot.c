/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/igvm_boot.h"

#include "attestation/measure/vmsa.h"
#include "common/base/cleanup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRMWARE_PAGES = OVMF_IMAGE_MAX / SNP_PAGE_LEN, PAGES_IN_2MIB = 512 };

#define FOUR_GIB UINT64_C(0x100000000)

static const uint8_t zeros[SNP_PAGE_LEN], not_measured[1];

/* What the file puts into a range of the guest's memory. */
struct range {
	uint64_t gpa;
	size_t count;          /* of pages */
	const uint8_t **pages; /* NULL: nothing; not_measured: nothing that can be known */
	uint32_t mask;
	unsigned vmsas;
};

static int put(struct range *r, uint64_t gpa, uint64_t len, const uint8_t *page, struct err *e)
{
	uint64_t end = r->gpa + r->count * SNP_PAGE_LEN;
	uint64_t from = gpa > r->gpa ? gpa : r->gpa;

	if (gpa >= end)
		return 0;
	end = len < end - gpa ? gpa + len : end;
	for (uint64_t at = from; at < end; at += SNP_PAGE_LEN) {
		const uint8_t **place = &r->pages[(at - r->gpa) / SNP_PAGE_LEN];

		if (*place)
			return err_set(e, ERR_PRECONDITION,
				       "IGVM: two pages at 0x%" PRIx64 "; firmware takes one", at);
		*place = page;
	}
	return 0;
}

/* A processor that starts anywhere but at the reset vector passes the firmware by. */
static int start(struct range *r, const struct igvm_directive *d, struct err *e)
{
	size_t at;

	if (!vmsa_is_reset(d->data.bytes, &at))
		return err_set(
			e, ERR_PRECONDITION,
			"IGVM: the VMSA at 0x%" PRIx64 " does not start the firmware: not that "
			"of a processor's reset at byte 0x%zx (AMD64 manual, volume 2, table "
			"B-4)",
			d->gpa, at);
	r->vmsas++;
	return 0;
}

static int visit(void *data, const struct igvm_directive *d, struct err *e)
{
	struct range *r = data;
	bool known = d->data_type == IGVM_NORMAL && !d->unmeasured;
	const uint8_t *page = d->data.len ? d->data.bytes : zeros;

	if (!(d->mask & r->mask) || d->kind == IGVM_ID_BLOCK)
		return 0;
	if (d->kind == IGVM_VMSA)
		return start(r, d, e);
	if (d->kind == IGVM_PARAMETERS)
		return put(r, d->gpa, d->area_len, not_measured, e);
	return put(r, d->gpa, (uint64_t)SNP_PAGE_LEN * (d->two_mib ? PAGES_IN_2MIB : 1),
		   known ? page : not_measured, e);
}

/* The pages below 4 GiB without a gap, as one image; malloc'ed. */
static int firmware_of(const struct range *r, uint8_t **image, struct span *out, struct err *e)
{
	size_t first = r->count;
	uint8_t *made;

	while (first > 0 && r->pages[first - 1] && r->pages[first - 1] != not_measured)
		first--;
	if (first == r->count)
		return err_set(e, ERR_PRECONDITION, "IGVM: no firmware below 4 GiB");
	made = malloc((r->count - first) * SNP_PAGE_LEN);
	if (!made)
		return err_nomem(e);
	for (size_t i = first; i < r->count; i++)
		memcpy(made + (i - first) * SNP_PAGE_LEN, r->pages[i], SNP_PAGE_LEN);
	*image = made;
	*out = (struct span){ made, (r->count - first) * SNP_PAGE_LEN };
	return 0;
}

/* Where the firmware looks for the table; a VMSA has to start it. */
static int table_place(const struct igvm *igvm, uint32_t *gpa, struct err *e)
{
	CLEANUP(free) const uint8_t **pages = calloc(FIRMWARE_PAGES, sizeof(*pages));
	CLEANUP(free) uint8_t *image = NULL;
	struct range r = { .gpa = FOUR_GIB - OVMF_IMAGE_MAX,
			   .count = FIRMWARE_PAGES,
			   .pages = pages,
			   .mask = igvm_mask(igvm, IGVM_SEV_SNP) };
	struct span firmware;
	struct ovmf ovmf;

	if (!pages)
		return err_nomem(e);
	if (igvm_each(igvm, visit, &r, e) < 0)
		return err_code(e);
	if (!r.vmsas)
		return err_set(e, ERR_PRECONDITION,
			       "IGVM: no VMSA for SEV-SNP: the host would choose where it starts");
	if (firmware_of(&r, &image, &firmware, e) < 0 || ovmf_parse(firmware, &ovmf, e) < 0)
		return err_code(e);
	if (!ovmf.hashes_gpa)
		return err_set(e, ERR_PRECONDITION,
			       "IGVM: its firmware starts any kernel that the host brings (wanted "
			       "one of OvmfPkg/AmdSev, with the digests of kernel, initrd and "
			       "command line in the file)");
	*gpa = ovmf.hashes_gpa;
	return 0;
}

int igvm_boot_check(const struct igvm *igvm, const struct snp_measure *boot, struct err *e)
{
	uint8_t wanted[SNP_HASHES_TABLE_LEN];
	const uint8_t *page = NULL;
	uint32_t gpa, in_page;

	if (!igvm_mask(igvm, IGVM_SEV_SNP))
		return err_set(e, ERR_PRECONDITION, "IGVM: the file is not for SEV-SNP");
	if (table_place(igvm, &gpa, e) < 0)
		return err_code(e);
	in_page = gpa % SNP_PAGE_LEN;

	struct range r = { .gpa = gpa - in_page,
			   .count = 1,
			   .pages = &page,
			   .mask = igvm_mask(igvm, IGVM_SEV_SNP) };

	if (igvm_each(igvm, visit, &r, e) < 0)
		return err_code(e);
	if (!page || page == not_measured || in_page + SNP_HASHES_TABLE_LEN > SNP_PAGE_LEN)
		return err_set(e, ERR_PRECONDITION,
			       "IGVM: no digests of kernel, initrd and command line at 0x%" PRIx32
			       ", where its firmware looks: they are left to the host",
			       gpa);
	snp_measure_hashes(boot, wanted);
	if (memcmp(page + in_page, wanted, sizeof(wanted)) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "IGVM: the digests at 0x%" PRIx32 " are not those of this image's "
			       "kernel, initrd and command line",
			       gpa);
	return 0;
}
