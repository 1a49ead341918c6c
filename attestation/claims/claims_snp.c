/* SPDX-License-Identifier: Apache-2.0 */
/* claims_snp.c — an SEV-SNP report field by field. */
#include "attestation/claims/claims_fields.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

struct bit {
	const char *name;
	uint64_t bit;
};

static void bits(struct writer *w, uint64_t value, const struct bit *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_put_key(w, table[i].name);
		writer_text(w, value & table[i].bit ? "true" : "false");
	}
	writer_text(w, "}");
}

static void put_policy(uint64_t policy, struct writer *w)
{
	static const struct bit table[] = {
		{ "smt", SNP_POLICY_SMT },
		{ "reserved17", SNP_POLICY_RESERVED_ONE },
		{ "migrate_ma", SNP_POLICY_MIGRATE_MA },
		{ "debug", SNP_POLICY_DEBUG },
		{ "single_socket", SNP_POLICY_SINGLE_SOCKET },
		{ "cxl_allow", SNP_POLICY_CXL_ALLOW },
		{ "mem_aes_256_xts", SNP_POLICY_MEM_AES_256_XTS },
		{ "rapl_dis", SNP_POLICY_RAPL_DIS },
		{ "ciphertext_hiding_dram", SNP_POLICY_CIPHERTEXT_HIDING },
		{ "page_swap_disable", SNP_POLICY_PAGE_SWAP_DISABLE },
	};

	json_put_key(w, "policy_bits");
	writer_printf(w, "{\"abi_minor\":%u,\"abi_major\":%u", (unsigned)(policy & 0xff),
		      (unsigned)(policy >> SNP_POLICY_ABI_MAJOR_SHIFT & 0xff));
	bits(w, policy, table, ARRAY_LEN(table));
}

static void put_platform(uint64_t info, struct writer *w)
{
	static const struct bit table[] = {
		{ "smt_en", SNP_PLATFORM_SMT_EN },
		{ "tsme_en", SNP_PLATFORM_TSME_EN },
		{ "ecc_en", SNP_PLATFORM_ECC_EN },
		{ "rapl_dis", SNP_PLATFORM_RAPL_DIS },
		{ "ciphertext_hiding_dram_en", SNP_PLATFORM_CIPHERTEXT_HIDING_EN },
		{ "alias_check_complete", SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
		{ "tio_en", SNP_PLATFORM_TIO_EN },
	};

	json_put_key(w, "platform_info_bits");
	writer_text(w, "{");
	bits(w, info, table, ARRAY_LEN(table));
}

/* FLAGS, 56860 table 23: AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY. */
static void put_flags(uint32_t flags, struct writer *w)
{
	static const char *const keys[] = { "VCEK", "VLEK", NULL, NULL, NULL, NULL, NULL, "none" };
	const char *name = keys[flags >> 2 & 7];

	json_put_key(w, "author_key_en");
	writer_text(w, flags & 1 ? "true" : "false");
	json_put_key(w, "mask_chip_key");
	writer_text(w, flags & 2 ? "true" : "false");
	json_put_key(w, "signing_key");
	writer_printf(w, "\"%s\"", name ? name : "reserved");
}

static void put_tcb(const char *name, const uint8_t *raw, enum snp_product product,
		    struct writer *w)
{
	struct snp_tcb tcb = snp_tcb_of(raw, product);

	json_put_key(w, name);
	writer_text(w, "{");
	json_put_hex(w, "raw", raw, SNP_TCB_LEN);
	if (product == SNP_TURIN)
		writer_printf(w, ",\"fmc\":%u", tcb.fmc);
	writer_printf(w, ",\"bootloader\":%u,\"tee\":%u,\"snp\":%u,\"microcode\":%u}",
		      tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode);
}

static bool is_tcb(const char *member)
{
	size_t len = strlen(member);

	return len > 4 && strcmp(member + len - 4, "_tcb") == 0;
}

/* In the report a signature's parts are little-endian; people write numbers. */
static void put_reversed(struct writer *w, const char *name, const uint8_t *bytes, size_t len)
{
	json_put_key(w, name);
	writer_text(w, "\"");
	for (size_t i = len; i-- > 0;)
		writer_hex(w, bytes + i, 1);
	writer_text(w, "\"");
}

static void put_field(const struct snp_report *r, const struct snp_field *f,
		      enum snp_product product, struct writer *w)
{
	const uint8_t *at = (const uint8_t *)r + f->at;
	uint64_t wide;
	uint32_t word;

	switch (f->type) {
	case SNP_U8:
		json_put_key(w, f->member);
		writer_printf(w, "%u", *at);
		break;
	case SNP_U32:
		memcpy(&word, at, sizeof(word));
		json_put_key(w, f->member);
		writer_printf(w, "%u", word);
		break;
	case SNP_U64:
		memcpy(&wide, at, sizeof(wide));
		json_put_key(w, f->member);
		writer_printf(w, "\"0x%016" PRIx64 "\"", wide);
		break;
	case SNP_BYTES:
		if (is_tcb(f->member))
			put_tcb(f->member, at, product, w);
		else if (strncmp(f->member, "signature_", 10) == 0)
			put_reversed(w, f->member, at, f->len);
		else
			json_put_hex(w, f->member, at, f->len);
		break;
	}
}

/* By CPUID; before version 3 a report doesn't say, and the layout is Milan's. */
static enum snp_product product_of(const struct snp_report *r)
{
	return r->version >= 3 ? snp_product_of_cpuid(r->cpuid_fam_id, r->cpuid_mod_id) : SNP_MILAN;
}

void claims_snp_report(const struct snp_report *report, enum snp_product product, struct writer *w)
{
	if (product == SNP_PRODUCT_ANY)
		product = product_of(report);
	for (size_t i = 0; i < snp_report_field_count; i++)
		put_field(report, &snp_report_fields[i], product, w);
	put_policy(report->policy, w);
	put_platform(report->platform_info, w);
	put_flags(report->flags, w);
}

void claims_snp_tcb(const struct snp_tcb *tcb, struct writer *w)
{
	writer_text(w, "{");
	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++) {
		json_put_key(w, snp_tcb_components[i].name);
		writer_printf(w, "%u", ((const uint8_t *)tcb)[snp_tcb_components[i].at]);
	}
	writer_text(w, "}");
}
