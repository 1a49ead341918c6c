/* SPDX-License-Identifier: Apache-2.0 */
/* show_tee.c — SEV-SNP reports and TDX quotes, field by field. */
#include "attestation/claims/claims_fields.h"
#include "attestation/snp/snp_parsed.h"
#include "cli/show/show.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <string.h>

int show_snp(struct span evidence, struct writer *w, struct err *e)
{
	struct span report, table;
	struct snp_report r;

	snp_evidence_split(evidence, &report, &table);
	if (snp_report_parse(report.bytes, report.len, &r, e) < 0)
		return err_code(e);
	json_put_key(w, "fields");
	writer_text(w, "{");
	claims_snp_report(&r, SNP_PRODUCT_ANY, w);
	writer_text(w, "}");
	if (table.len) {
		json_put_key(w, "certificate_table_bytes");
		writer_printf(w, "%zu", table.len);
	}
	return 0;
}

/* ---- TDX ---- */

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
	sgx = x509_extension_of(chain.certs[0], TDX_PCK_EXTENSION);
	if (sgx && tdx_pck_parse(sgx->value, &pck, &ignored) == 0) {
		json_put_key(w, "pck");
		writer_text(w, "{");
		claims_tdx_pck(&pck, w);
		if (x509_common_name(chain.certs[0]->issuer, issuer, sizeof(issuer), &ignored) ==
		    0) {
			json_put_key(w, "issuer");
			json_quote_shown(w, issuer, strlen(issuer));
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
	json_put_key(w, "fields");
	writer_text(w, "{");
	claims_tdx_body(&q, w);
	writer_text(w, "}");
	json_put_key(w, "qe_report");
	writer_text(w, "{");
	claims_tdx_qe(&q.qe_report, w);
	writer_text(w, "}");
	show_pck(&q, w);
	return 0;
}
