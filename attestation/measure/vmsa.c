/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/vmsa.h"

#include "common/base/bytes.h"
#include "common/base/cleanup.h"

#include <string.h>
#include <strings.h>

/* Offsets in the save area. */
enum {
	AT_ES = 0x000,
	AT_CS = 0x010,
	AT_SS = 0x020,
	AT_DS = 0x030,
	AT_FS = 0x040,
	AT_GS = 0x050,
	AT_GDTR = 0x060,
	AT_LDTR = 0x070,
	AT_IDTR = 0x080,
	AT_TR = 0x090,
	AT_EFER = 0x0d0,
	AT_CR4 = 0x148,
	AT_CR0 = 0x158,
	AT_DR7 = 0x160,
	AT_DR6 = 0x168,
	AT_RFLAGS = 0x170,
	AT_RIP = 0x178,
	AT_G_PAT = 0x268,
	AT_RDX = 0x310,
	AT_SEV_FEATURES = 0x3b0,
	AT_XCR0 = 0x3e8,
	AT_MXCSR = 0x408,
	AT_X87_FCW = 0x410,
};

enum {
	EFER_SVME = 0x1000,
	CR4_MCE = 0x40,
	CR0_ET = 0x10,
	CR0_NE = 0x20,
	CR0_PE = 0x01,
	DR7_RESET = 0x400,
	RFLAGS_RESET = 2,
	XCR0_X87 = 1,
	MXCSR_RESET = 0x1f80,
	X87_FCW_RESET = 0x37f,
	LIMIT_REAL = 0xffff,
	RDX_RESET = 0x600,
	FEATURE_SNP = 1,
	FEATURE_DEBUG_SWAP = 0x20,
};

#define DR6_RESET  UINT32_C(0xffff0ff0)
#define PAT_RESET  UINT64_C(0x0007040600070406)
#define PAT_GCE    UINT64_C(0x0000000000070106)
#define LIMIT_FLAT UINT32_C(0xffffffff)

struct segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

/* What the monitors do differently. */
static const struct vmm {
	const char *name;
	uint16_t cs, cs_boot, ss, tr; /* attributes */
	uint64_t pat;
	bool rdx_signature; /* else what the processor has after reset */
	uint32_t mxcsr, x87_fcw;
} vmms[] = {
	[VMSA_QEMU] = { "QEMU", 0x9b, 0x9b, 0x93, 0x8b, PAT_RESET, true, MXCSR_RESET,
			X87_FCW_RESET },
	[VMSA_EC2] = { "ec2", 0x9b, 0x9a, 0x92, 0x83, PAT_RESET, false, 0, 0 },
	[VMSA_GCE] = { "gce", 0x9b, 0x9b, 0x93, 0x8b, PAT_GCE, false, 0, 0 },
};

/* QEMU's types, target/i386/cpu.c. */
static const struct {
	const char *name;
	uint32_t signature;
} cpu_types[] = {
	{ "EPYC", 0x00800f12 },          { "EPYC-v1", 0x00800f12 },
	{ "EPYC-v2", 0x00800f12 },       { "EPYC-IBPB", 0x00800f12 },
	{ "EPYC-v3", 0x00800f12 },       { "EPYC-v4", 0x00800f12 },
	{ "EPYC-Rome", 0x00830f10 },     { "EPYC-Rome-v1", 0x00830f10 },
	{ "EPYC-Rome-v2", 0x00830f10 },  { "EPYC-Rome-v3", 0x00830f10 },
	{ "EPYC-Milan", 0x00a00f11 },    { "EPYC-Milan-v1", 0x00a00f11 },
	{ "EPYC-Milan-v2", 0x00a00f11 }, { "EPYC-Genoa", 0x00a10f10 },
	{ "EPYC-Genoa-v1", 0x00a10f10 }, { "EPYC-Turin", 0x00b00f00 },
};

bool vmsa_vmm_of(const char *name, enum vmsa_vmm *vmm)
{
	for (size_t i = 0; i < ARRAY_LEN(vmms); i++)
		if (strcasecmp(name, vmms[i].name) == 0) {
			*vmm = (enum vmsa_vmm)i;
			return true;
		}
	return false;
}

static void put_segment(uint8_t *page, size_t at, struct segment s)
{
	bytes_put_le(page + at, s.selector, 2);
	bytes_put_le(page + at + 2, s.attributes, 2);
	bytes_put_le(page + at + 4, s.limit, 4);
	bytes_put_le(page + at + 8, s.base, 8);
}

/* What is the same everywhere. */
static void put_common(uint8_t *page, uint64_t features)
{
	memset(page, 0, SNP_PAGE_LEN);
	put_segment(page, AT_GS, (struct segment){ 0, 0x93, LIMIT_REAL, 0 });
	put_segment(page, AT_GDTR, (struct segment){ 0, 0, LIMIT_REAL, 0 });
	put_segment(page, AT_LDTR, (struct segment){ 0, 0x82, LIMIT_REAL, 0 });
	put_segment(page, AT_IDTR, (struct segment){ 0, 0, LIMIT_REAL, 0 });
	bytes_put_le(page + AT_EFER, EFER_SVME, 8);
	bytes_put_le(page + AT_CR4, CR4_MCE, 8);
	bytes_put_le(page + AT_DR7, DR7_RESET, 8);
	bytes_put_le(page + AT_DR6, DR6_RESET, 8);
	bytes_put_le(page + AT_RFLAGS, RFLAGS_RESET, 8);
	bytes_put_le(page + AT_SEV_FEATURES, features, 8);
	bytes_put_le(page + AT_XCR0, XCR0_X87, 8);
}

void vmsa_make(enum vmsa_vmm vmm, uint32_t eip, uint32_t signature, uint64_t features,
	       uint8_t page[SNP_PAGE_LEN])
{
	static const uint16_t data_segments[] = { AT_ES, AT_DS, AT_FS };
	const struct vmm *v = &vmms[vmm];
	uint16_t cs = eip == VMSA_BOOT_EIP ? v->cs_boot : v->cs;

	put_common(page, features);
	for (size_t i = 0; i < ARRAY_LEN(data_segments); i++)
		put_segment(page, data_segments[i], (struct segment){ 0, 0x93, LIMIT_REAL, 0 });
	put_segment(page, AT_CS, (struct segment){ 0xf000, cs, LIMIT_REAL, eip & 0xffff0000 });
	put_segment(page, AT_SS, (struct segment){ 0, v->ss, LIMIT_REAL, 0 });
	put_segment(page, AT_TR, (struct segment){ 0, v->tr, LIMIT_REAL, 0 });
	bytes_put_le(page + AT_CR0, CR0_ET, 8);
	bytes_put_le(page + AT_RIP, eip & 0xffff, 8);
	bytes_put_le(page + AT_G_PAT, v->pat, 8);
	bytes_put_le(page + AT_RDX, v->rdx_signature ? signature : RDX_RESET, 8);
	bytes_put_le(page + AT_MXCSR, v->mxcsr, 4);
	bytes_put_le(page + AT_X87_FCW, v->x87_fcw, 2);
}

/* Features are compared, too: with a vTOM of zero, say, all memory would be the host's. */
bool vmsa_is_reset(const uint8_t page[SNP_PAGE_LEN], size_t *at)
{
	uint64_t features = bytes_le(page + AT_SEV_FEATURES, 8) & FEATURE_DEBUG_SWAP;
	uint8_t wanted[SNP_PAGE_LEN];

	vmsa_make(VMSA_QEMU, VMSA_BOOT_EIP, (uint32_t)bytes_le(page + AT_RDX, 4),
		  FEATURE_SNP | features, wanted);
	wanted[AT_CR0] |= page[AT_CR0] & CR0_NE;
	if (!bytes_le(page + AT_MXCSR, 4))
		bytes_put_le(wanted + AT_MXCSR, 0, 4);
	if (!bytes_le(page + AT_X87_FCW, 2))
		bytes_put_le(wanted + AT_X87_FCW, 0, 2);
	for (*at = 0; *at < SNP_PAGE_LEN; ++*at)
		if (page[*at] != wanted[*at])
			return false;
	return true;
}

void vmsa_make_svsm(uint64_t eip, uint32_t signature, uint8_t page[SNP_PAGE_LEN])
{
	static const uint16_t data_segments[] = { AT_ES, AT_SS, AT_DS, AT_FS };

	put_common(page, 1);
	/* FS is flat here as the others are, GS is not. */
	for (size_t i = 0; i < ARRAY_LEN(data_segments); i++)
		put_segment(page, data_segments[i], (struct segment){ 16, 0xc93, LIMIT_FLAT, 0 });
	put_segment(page, AT_CS, (struct segment){ 8, 0xc9b, LIMIT_FLAT, 0 });
	put_segment(page, AT_TR, (struct segment){ 0, 0x8b, LIMIT_REAL, 0 });
	bytes_put_le(page + AT_CR0, CR0_ET | CR0_PE, 8);
	bytes_put_le(page + AT_RIP, eip, 8);
	bytes_put_le(page + AT_G_PAT, PAT_RESET, 8);
	bytes_put_le(page + AT_RDX, signature, 8);
	bytes_put_le(page + AT_MXCSR, MXCSR_RESET, 4);
}

bool vmsa_cpu_type(const char *name, uint32_t *signature)
{
	for (size_t i = 0; i < ARRAY_LEN(cpu_types); i++)
		if (strcmp(name, cpu_types[i].name) == 0) {
			*signature = cpu_types[i].signature;
			return true;
		}
	return false;
}

const char *vmsa_cpu_type_name(size_t i)
{
	return i < ARRAY_LEN(cpu_types) ? cpu_types[i].name : NULL;
}

uint32_t vmsa_cpu_signature(unsigned family, unsigned model, unsigned stepping)
{
	unsigned base = family > 0xf ? 0xf : family;
	unsigned extended = family > 0xf ? (family - 0xf) & 0xff : 0;

	return extended << 20 | (model >> 4 & 0xf) << 16 | base << 8 | (model & 0xf) << 4 |
	       (stepping & 0xf);
}
