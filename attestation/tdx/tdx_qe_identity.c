/* SPDX-License-Identifier: Apache-2.0 */
/* TD QE identity v2: Intel PCS API v4, "Get TDX QE Identity". */
#include "attestation/tdx/tdx_document.h"

#include <stdlib.h>

static int body_read(const struct json *body, struct tdx_qe_identity *q, struct err *e)
{
	uint64_t isvprodid;

	if (tdx_member_is(body, "id", "TD_QE", e) < 0 || tdx_member_version(body, 2, e) < 0 ||
	    json_get_hex(body, "miscselect", q->miscselect, sizeof(q->miscselect), e) < 0 ||
	    json_get_hex(body, "miscselectMask", q->miscselect_mask, sizeof(q->miscselect_mask),
			 e) < 0 ||
	    json_get_hex(body, "attributes", q->attributes, sizeof(q->attributes), e) < 0 ||
	    json_get_hex(body, "attributesMask", q->attributes_mask, sizeof(q->attributes_mask),
			 e) < 0 ||
	    json_get_hex(body, "mrsigner", q->mrsigner, sizeof(q->mrsigner), e) < 0 ||
	    tdx_member_u64(body, "isvprodid", UINT16_MAX, &isvprodid, e) < 0)
		return err_code(e);
	q->isvprodid = (uint16_t)isvprodid;
	return tdx_isv_levels(body, UINT16_MAX, q->levels, &q->level_count, e);
}

int tdx_qe_identity_parse(struct span bytes, struct tdx_qe_identity **identity, struct err *e)
{
	CLEANUP(tdx_qe_identity_free) struct tdx_qe_identity *made = calloc(1, sizeof(*made));
	const struct json *body;

	if (!made)
		return err_nomem(e);
	if (tdx_document_open(bytes, "enclaveIdentity", &made->document, &body, e) < 0)
		return err_code(e);
	if (body_read(body, made, e) < 0)
		return tdx_document_error("enclaveIdentity", e);
	*identity = TAKE_PTR(made);
	return 0;
}

void tdx_qe_identity_free(struct tdx_qe_identity *identity)
{
	if (!identity)
		return;
	tdx_document_done(&identity->document);
	free(identity);
}
