/* SPDX-License-Identifier: Apache-2.0 */
/* claims_tdx.c — a TDX quote and its platform's PCK extension field by field. */
#include "attestation/claims/claims_fields.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <stdio.h>

#define BODY(member_) \
	{ #member_, offsetof(struct tdx_body, member_), sizeof(((struct tdx_body *)NULL)->member_) }

void claims_tdx_body(const struct tdx_quote *q, struct writer *w)
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

	for (size_t i = 0; i < count; i++)
		json_put_hex(w, rows[i].name, (const uint8_t *)&q->body + rows[i].at, rows[i].len);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++) {
		char name[8];

		snprintf(name, sizeof(name), "rtmr%zu", i);
		json_put_hex(w, name, q->body.rtmr[i], TDX_MR_LEN);
	}
}

void claims_tdx_qe(const struct tdx_qe_report *r, struct writer *w)
{
	json_put_hex(w, "cpusvn", r->cpusvn, sizeof(r->cpusvn));
	json_put_hex(w, "miscselect", r->miscselect, sizeof(r->miscselect));
	json_put_hex(w, "attributes", r->attributes, sizeof(r->attributes));
	json_put_hex(w, "mrenclave", r->mrenclave, sizeof(r->mrenclave));
	json_put_hex(w, "mrsigner", r->mrsigner, sizeof(r->mrsigner));
	writer_printf(w, ",\"isvprodid\":%u,\"isvsvn\":%u", r->isvprodid, r->isvsvn);
	json_put_hex(w, "reportdata", r->reportdata, sizeof(r->reportdata));
}

void claims_tdx_pck(const struct tdx_pck *pck, struct writer *w)
{
	json_put_hex(w, "fmspc", pck->fmspc, sizeof(pck->fmspc));
	json_put_hex(w, "pceid", pck->pceid, sizeof(pck->pceid));
	json_put_hex(w, "ppid", pck->ppid, sizeof(pck->ppid));
	json_put_hex(w, "cpusvn", pck->cpusvn, sizeof(pck->cpusvn));
	writer_text(w, ",\"sgx_tcb_comp_svn\":[");
	for (size_t i = 0; i < TDX_COMPONENTS; i++)
		writer_printf(w, "%s%u", i ? "," : "", pck->components[i]);
	writer_printf(w, "],\"pcesvn\":%u,\"sgx_type\":%u", pck->pcesvn, pck->sgx_type);
}
