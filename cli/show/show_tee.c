/* SPDX-License-Identifier: Apache-2.0 */
/* show_tee.c — SEV-SNP reports and TDX quotes, field by field. */
#include "attestation/snp/snp_appraise.h"
#include "attestation/snp/snp_cert_table.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_quote.h"
#include "cli/show/show.h"
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

static void show_policy(uint64_t policy, struct writer *w)
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

static void show_platform(uint64_t info, struct writer *w)
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
static void show_flags(uint32_t flags, struct writer *w)
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

/* The product by CPUID; before version 3 a report doesn't say, and the layout is Milan's. */
static void show_tcb(const struct snp_report *r, const char *name, const uint8_t *raw,
		     struct writer *w)
{
	enum snp_product product = r->version >= 3
					   ? snp_product_of_cpuid(r->cpuid_fam_id, r->cpuid_mod_id)
					   : SNP_MILAN;
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
static void show_reversed(struct writer *w, const char *name, const uint8_t *bytes, size_t len)
{
	json_put_key(w, name);
	writer_text(w, "\"");
	for (size_t i = len; i-- > 0;)
		writer_hex(w, bytes + i, 1);
	writer_text(w, "\"");
}

static void show_field(const struct snp_report *r, const struct snp_field *f, struct writer *w)
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
			show_tcb(r, f->member, at, w);
		else if (strncmp(f->member, "signature_", 10) == 0)
			show_reversed(w, f->member, at, f->len);
		else
			json_put_hex(w, f->member, at, f->len);
		break;
	}
}

int show_snp(struct span evidence, struct writer *w, struct err *e)
{
	struct span report, table;
	struct snp_report r;

	snp_evidence_split(evidence, &report, &table);
	if (snp_report_parse(report.bytes, report.len, &r, e) < 0)
		return err_code(e);
	json_put_key(w, "fields");
	writer_text(w, "{");
	for (size_t i = 0; i < snp_report_field_count; i++)
		show_field(&r, &snp_report_fields[i], w);
	show_policy(r.policy, w);
	show_platform(r.platform_info, w);
	show_flags(r.flags, w);
	writer_text(w, "}");
	if (table.len) {
		json_put_key(w, "certificate_table_bytes");
		writer_printf(w, "%zu", table.len);
	}
	return 0;
}

/* ---- TDX ---- */

#define BODY(member_) \
	{ #member_, offsetof(struct tdx_body, member_), sizeof(((struct tdx_body *)NULL)->member_) }

static void show_body(const struct tdx_quote *q, struct writer *w)
{
	/* clang-format off */
	static const struct {
		const char *name;
		size_t at, len;
	} rows[] = {
		BODY(tee_tcb_svn),
		BODY(mrseam),
		BODY(mrsignerseam),
		BODY(seamattributes),
		BODY(tdattributes),
		BODY(xfam),
		BODY(mrtd),
		BODY(mrconfigid),
		BODY(mrowner),
		BODY(mrownerconfig),
		BODY(reportdata),
		BODY(tee_tcb_svn2),
		BODY(mrservicetd),
	};
	/* clang-format on */
	size_t count = q->body_type == TDX_BODY_15 ? ARRAY_LEN(rows) : ARRAY_LEN(rows) - 2;

	json_put_key(w, "fields");
	writer_text(w, "{");
	for (size_t i = 0; i < count; i++)
		json_put_hex(w, rows[i].name, (const uint8_t *)&q->body + rows[i].at, rows[i].len);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++) {
		char name[8];

		snprintf(name, sizeof(name), "rtmr%zu", i);
		json_put_hex(w, name, q->body.rtmr[i], TDX_MR_LEN);
	}
	writer_text(w, "}");
}

static void show_qe(const struct tdx_qe_report *r, struct writer *w)
{
	json_put_key(w, "qe_report");
	writer_text(w, "{");
	json_put_hex(w, "cpusvn", r->cpusvn, sizeof(r->cpusvn));
	json_put_hex(w, "miscselect", r->miscselect, sizeof(r->miscselect));
	json_put_hex(w, "attributes", r->attributes, sizeof(r->attributes));
	json_put_hex(w, "mrenclave", r->mrenclave, sizeof(r->mrenclave));
	json_put_hex(w, "mrsigner", r->mrsigner, sizeof(r->mrsigner));
	writer_printf(w, ",\"isvprodid\":%u,\"isvsvn\":%u", r->isvprodid, r->isvsvn);
	json_put_hex(w, "reportdata", r->reportdata, sizeof(r->reportdata));
	writer_text(w, "}");
}

/* The leaf of the chain inside the quote, as far as it can be read. */
static void show_pck(const struct tdx_quote *q, struct writer *w)
{
	struct x509_chain chain = { .count = 0 };
	const struct x509_extension *sgx = NULL;
	struct tdx_pck pck;
	char issuer[128];
	struct err ignored;

	if (x509_chain_from_pem(q->pck_chain.bytes, q->pck_chain.len, &chain, &ignored) < 0)
		return;
	sgx = x509_extension_of(chain.certs[0], "1.2.840.113741.1.13.1");
	if (sgx && tdx_pck_parse(sgx->value, &pck, &ignored) == 0) {
		json_put_key(w, "pck");
		writer_text(w, "{");
		json_put_hex(w, "fmspc", pck.fmspc, sizeof(pck.fmspc));
		json_put_hex(w, "pceid", pck.pceid, sizeof(pck.pceid));
		json_put_hex(w, "ppid", pck.ppid, sizeof(pck.ppid));
		json_put_hex(w, "cpusvn", pck.cpusvn, sizeof(pck.cpusvn));
		writer_text(w, ",\"sgx_tcb_comp_svn\":[");
		for (size_t i = 0; i < TDX_COMPONENTS; i++)
			writer_printf(w, "%s%u", i ? "," : "", pck.components[i]);
		writer_printf(w, "],\"pcesvn\":%u,\"sgx_type\":%u", pck.pcesvn, pck.sgx_type);
		if (x509_common_name(chain.certs[0]->issuer, issuer, sizeof(issuer), &ignored) ==
		    0) {
			json_put_key(w, "issuer");
			json_quote(w, issuer, strlen(issuer));
		}
		const struct span *serial = &chain.certs[0]->serial;
		size_t skip = serial->len > 1 && serial->bytes[0] == 0;
		json_put_hex(w, "serial", serial->bytes + skip, serial->len - skip);
		writer_text(w, "}");
	}
	x509_chain_done(&chain);
}

int show_tdx(struct span evidence, struct writer *w, struct err *e)
{
	struct tdx_quote q;

	if (tdx_quote_parse(evidence.bytes, evidence.len, &q, e) < 0)
		return err_code(e);
	json_put_key(w, "version");
	writer_printf(w, "%u,\"body_type\":%u,\"padding\":%zu", q.version, q.body_type, q.padding);
	show_body(&q, w);
	show_qe(&q.qe_report, w);
	show_pck(&q, w);
	return 0;
}
