/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_report.h — the SEV-SNP attestation report (AMD publication 56860, revision 1.58, table
 * 23; of 1.59 see docs/security.md).
 *
 * Parsing only: nothing here says the report is genuine; see snp_appraise.h. Versions 2, 3 and 5
 * are read (4 was never seen from firmware). The table below is the layout: it makes the struct,
 * drives the parser, and snp_policy.c has to name a judge for each row or it does not compile.
 * Whatever no row covers is reserved and has to be zero.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SNP_REPORT_LEN = 1184,
	SNP_REPORT_SIGNED_LEN = 0x2a0, /* what the signature covers */
	SNP_REPORT_DATA_LEN = 64,
	SNP_DIGEST_LEN = 48,
	SNP_HOST_DATA_LEN = 32,
	SNP_ID_LEN = 16,
	SNP_REPORT_ID_LEN = 32,
	SNP_CHIP_ID_LEN = 64,
	SNP_TCB_LEN = 8,
	SNP_SIGNATURE_PART_LEN = 48, /* of 72 bytes, little-endian; the upper 24 are zero */
};

/* F(type, member, name in the specification, offset, bytes, first version that has it); integers
 * are little-endian. Ascending, without overlap. */
#define SNP_REPORT_FIELDS(F)                                           \
	F(U32, version, "VERSION", 0x000, 4, 2)                        \
	F(U32, guest_svn, "GUEST_SVN", 0x004, 4, 2)                    \
	F(U64, policy, "POLICY", 0x008, 8, 2)                          \
	F(BYTES, family_id, "FAMILY_ID", 0x010, 16, 2)                 \
	F(BYTES, image_id, "IMAGE_ID", 0x020, 16, 2)                   \
	F(U32, vmpl, "VMPL", 0x030, 4, 2)                              \
	F(U32, signature_algo, "SIGNATURE_ALGO", 0x034, 4, 2)          \
	F(BYTES, current_tcb, "CURRENT_TCB", 0x038, 8, 2)              \
	F(U64, platform_info, "PLATFORM_INFO", 0x040, 8, 2)            \
	F(U32, flags, "FLAGS", 0x048, 4, 2)                            \
	F(BYTES, report_data, "REPORT_DATA", 0x050, 64, 2)             \
	F(BYTES, measurement, "MEASUREMENT", 0x090, 48, 2)             \
	F(BYTES, host_data, "HOST_DATA", 0x0c0, 32, 2)                 \
	F(BYTES, id_key_digest, "ID_KEY_DIGEST", 0x0e0, 48, 2)         \
	F(BYTES, author_key_digest, "AUTHOR_KEY_DIGEST", 0x110, 48, 2) \
	F(BYTES, report_id, "REPORT_ID", 0x140, 32, 2)                 \
	F(BYTES, report_id_ma, "REPORT_ID_MA", 0x160, 32, 2)           \
	F(BYTES, reported_tcb, "REPORTED_TCB", 0x180, 8, 2)            \
	F(U8, cpuid_fam_id, "CPUID_FAM_ID", 0x188, 1, 3)               \
	F(U8, cpuid_mod_id, "CPUID_MOD_ID", 0x189, 1, 3)               \
	F(U8, cpuid_step, "CPUID_STEP", 0x18a, 1, 3)                   \
	F(BYTES, chip_id, "CHIP_ID", 0x1a0, 64, 2)                     \
	F(BYTES, committed_tcb, "COMMITTED_TCB", 0x1e0, 8, 2)          \
	F(U8, current_build, "CURRENT_BUILD", 0x1e8, 1, 2)             \
	F(U8, current_minor, "CURRENT_MINOR", 0x1e9, 1, 2)             \
	F(U8, current_major, "CURRENT_MAJOR", 0x1ea, 1, 2)             \
	F(U8, committed_build, "COMMITTED_BUILD", 0x1ec, 1, 2)         \
	F(U8, committed_minor, "COMMITTED_MINOR", 0x1ed, 1, 2)         \
	F(U8, committed_major, "COMMITTED_MAJOR", 0x1ee, 1, 2)         \
	F(BYTES, launch_tcb, "LAUNCH_TCB", 0x1f0, 8, 2)                \
	F(U64, launch_mit_vector, "LAUNCH_MIT_VECTOR", 0x1f8, 8, 5)    \
	F(U64, current_mit_vector, "CURRENT_MIT_VECTOR", 0x200, 8, 5)  \
	F(BYTES, signature_r, "SIGNATURE.R", 0x2a0, 48, 2)             \
	F(BYTES, signature_s, "SIGNATURE.S", 0x2e8, 48, 2)

enum snp_field_type { SNP_U8, SNP_U32, SNP_U64, SNP_BYTES };

#define SNP_MEMBER_U8(member, len)                         uint8_t member
#define SNP_MEMBER_U32(member, len)                        uint32_t member
#define SNP_MEMBER_U64(member, len)                        uint64_t member
#define SNP_MEMBER_BYTES(member, len)                      uint8_t member[len]
#define SNP_MEMBER(type, member, spec, offset, len, since) SNP_MEMBER_##type(member, len);

struct snp_report {
	SNP_REPORT_FIELDS(SNP_MEMBER)
};

/* The same table as data, for whoever prints a report: `member` is where struct snp_report has
 * the value, in host order for numbers. */
struct snp_field {
	const char *member, *spec;
	enum snp_field_type type;
	size_t offset, len; /* in the report */
	size_t at;          /* in the struct */
	uint32_t since;
};
extern const struct snp_field snp_report_fields[];
extern const size_t snp_report_field_count;

/* POLICY, 56860 table 9. */
enum {
	SNP_POLICY_ABI_MINOR_MASK = 0xff,
	SNP_POLICY_ABI_MAJOR_SHIFT = 8,
};
#define SNP_POLICY_SMT               (UINT64_C(1) << 16)
#define SNP_POLICY_RESERVED_ONE      (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE_MA        (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG             (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET     (UINT64_C(1) << 20)
#define SNP_POLICY_CXL_ALLOW         (UINT64_C(1) << 21)
#define SNP_POLICY_MEM_AES_256_XTS   (UINT64_C(1) << 22)
#define SNP_POLICY_RAPL_DIS          (UINT64_C(1) << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)
#define SNP_POLICY_RESERVED_ZERO     (~UINT64_C(0) << 26)

/* PLATFORM_INFO, 56860 table 24. Other bits are kept and mean nothing. */
#define SNP_PLATFORM_SMT_EN               (UINT64_C(1) << 0)
#define SNP_PLATFORM_TSME_EN              (UINT64_C(1) << 1)
#define SNP_PLATFORM_ECC_EN               (UINT64_C(1) << 2)
#define SNP_PLATFORM_RAPL_DIS             (UINT64_C(1) << 3)
#define SNP_PLATFORM_CIPHERTEXT_HIDING_EN (UINT64_C(1) << 4)
#define SNP_PLATFORM_ALIAS_CHECK_COMPLETE (UINT64_C(1) << 5)
#define SNP_PLATFORM_TIO_EN               (UINT64_C(1) << 7)

/* FLAGS, at 0x048. */
enum {
	SNP_FLAG_AUTHOR_KEY_EN = 1 << 0,
	SNP_FLAG_MASK_CHIP_KEY = 1 << 1,
	SNP_FLAG_SIGNING_KEY_SHIFT = 2,
	SNP_FLAG_SIGNING_KEY_MASK = 7 << SNP_FLAG_SIGNING_KEY_SHIFT,
};

enum snp_signing_key { SNP_KEY_VCEK = 0, SNP_KEY_VLEK = 1, SNP_KEY_NONE = 7 };

enum snp_signing_key snp_report_signing_key(const struct snp_report *report);
bool snp_report_author_key_en(const struct snp_report *report);
bool snp_report_mask_chip_key(const struct snp_report *report);

/* 1 <= r, s < n, the order of P-384: one report has one encoding of its signature's numbers. */
bool snp_report_signature_in_range(const struct snp_report *report);

/* Exactly SNP_REPORT_LEN bytes of a known version; reserved areas zero, POLICY's reserved bits as
 * specified, VMPL 0 to 3, SIGNATURE_ALGO 1, a SIGNING_KEY that is defined. */
int snp_report_parse(const void *bytes, size_t len, struct snp_report *report,
		     struct err *e) MUST_CHECK;

/* The bytes again: snp_report_parse() of them gives the same, and of parsed ones the same bytes. */
void snp_report_write(const struct snp_report *report, uint8_t bytes[SNP_REPORT_LEN]);
