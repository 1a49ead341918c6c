/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_quote.h"

#include <string.h>

enum {
	KEY_TYPE_ECDSA_P256 = 2,
	TEE_TYPE_TDX = 0x81,
	CERT_DATA_PCK_CHAIN = 5,
	CERT_DATA_QE_REPORT = 6,
};

/* Intel's quoting enclave (DCAP API, table "Quote Header", QE Vendor ID). */
static const uint8_t intel_vendor[TDX_VENDOR_LEN] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
						      0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3,
						      0x95, 0x7f, 0x06, 0x07 };

static int too_short(struct err *e, const char *part, size_t len)
{
	return err_set(e, ERR_INVALID, "TDX quote: %zu bytes end within the %s", len, part);
}

/* DCAP API, appendix 3.1: the header is the same in versions 4 and 5. */
static int header_parse(struct reader *r, size_t len, struct tdx_quote *q, struct err *e)
{
	q->version = reader_le16(r);
	q->key_type = reader_le16(r);
	q->tee_type = reader_le32(r);
	q->qe_svn = reader_le16(r);
	q->pce_svn = reader_le16(r);
	reader_copy(r, q->qe_vendor_id, sizeof(q->qe_vendor_id));
	reader_copy(r, q->user_data, sizeof(q->user_data));
	if (!reader_ok(r))
		return too_short(e, "header", len);
	if (q->version != 4 && q->version != 5)
		return err_set(e, ERR_INVALID, "TDX quote: version is %u, wanted 4 or 5",
			       q->version);
	if (q->key_type != KEY_TYPE_ECDSA_P256)
		return err_set(e, ERR_INVALID,
			       "TDX quote: attestation key type is %u, wanted 2 (ECDSA P-256)",
			       q->key_type);
	if (q->tee_type != TEE_TYPE_TDX)
		return err_set(e, ERR_INVALID, "TDX quote: TEE type is 0x%x, wanted 0x81 (TDX)",
			       q->tee_type);
	if (memcmp(q->qe_vendor_id, intel_vendor, sizeof(intel_vendor)) != 0)
		return err_set(e, ERR_INVALID, "TDX quote: QE vendor id is not Intel's");
	return 0;
}

static int body_type_parse(struct reader *r, size_t len, struct tdx_quote *q, struct err *e)
{
	q->body_type = TDX_BODY_10;
	if (q->version == 4)
		return 0;

	unsigned type = reader_le16(r);
	uint32_t size = reader_le32(r);

	if (!reader_ok(r))
		return too_short(e, "body descriptor", len);
	if (type != TDX_BODY_10 && type != TDX_BODY_15)
		return err_set(e, ERR_INVALID,
			       "TDX quote: body type is %u, wanted 2 (TD 1.0) or 3 (TD 1.5)", type);
	q->body_type = type == TDX_BODY_15 ? TDX_BODY_15 : TDX_BODY_10;
	if (size != (type == TDX_BODY_15 ? TDX_BODY15_LEN : TDX_BODY10_LEN))
		return err_set(e, ERR_INVALID,
			       "TDX quote: body size is %u, which body type %u has not", size,
			       type);
	return 0;
}

/* DCAP API, appendix 3.2 (TD 1.0) and 3.3 (TD 1.5, which appends two fields). */
static void body_parse(struct reader *r, enum tdx_body_type type, struct tdx_body *b)
{
	reader_copy(r, b->tee_tcb_svn, sizeof(b->tee_tcb_svn));
	reader_copy(r, b->mrseam, sizeof(b->mrseam));
	reader_copy(r, b->mrsignerseam, sizeof(b->mrsignerseam));
	reader_copy(r, b->seamattributes, sizeof(b->seamattributes));
	reader_copy(r, b->tdattributes, sizeof(b->tdattributes));
	reader_copy(r, b->xfam, sizeof(b->xfam));
	reader_copy(r, b->mrtd, sizeof(b->mrtd));
	reader_copy(r, b->mrconfigid, sizeof(b->mrconfigid));
	reader_copy(r, b->mrowner, sizeof(b->mrowner));
	reader_copy(r, b->mrownerconfig, sizeof(b->mrownerconfig));
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		reader_copy(r, b->rtmr[i], sizeof(b->rtmr[i]));
	reader_copy(r, b->reportdata, sizeof(b->reportdata));
	memset(b->tee_tcb_svn2, 0, sizeof(b->tee_tcb_svn2));
	memset(b->mrservicetd, 0, sizeof(b->mrservicetd));
	if (type == TDX_BODY_15) {
		reader_copy(r, b->tee_tcb_svn2, sizeof(b->tee_tcb_svn2));
		reader_copy(r, b->mrservicetd, sizeof(b->mrservicetd));
	}
}

static void qe_report_parse(struct span bytes, struct tdx_qe_report *q)
{
	struct reader r = span_reader(bytes);

	reader_copy(&r, q->cpusvn, sizeof(q->cpusvn));
	reader_copy(&r, q->miscselect, sizeof(q->miscselect));
	reader_skip(&r, 28); /* reserved, ISVEXTPRODID */
	reader_copy(&r, q->attributes, sizeof(q->attributes));
	reader_copy(&r, q->mrenclave, sizeof(q->mrenclave));
	reader_skip(&r, 32);
	reader_copy(&r, q->mrsigner, sizeof(q->mrsigner));
	reader_skip(&r, 96); /* reserved, CONFIGID */
	q->isvprodid = reader_le16(&r);
	q->isvsvn = reader_le16(&r);
	reader_skip(&r, 60); /* reserved, CONFIGSVN, ISVFAMILYID */
	reader_copy(&r, q->reportdata, sizeof(q->reportdata));
}

/* The contents of certification data of `type`, which has to fill what is left in `r`. */
static int cert_data_parse(struct reader *r, unsigned type, struct reader *data, struct err *e)
{
	unsigned found = reader_le16(r);
	uint32_t size = reader_le32(r);

	if (!reader_ok(r))
		return err_set(e, ERR_INVALID,
			       "TDX quote: no room for certification data of type %u", type);
	if (found != type)
		return err_set(e, ERR_INVALID,
			       "TDX quote: certification data type is %u, wanted %u", found, type);
	if (size != reader_left(r))
		return err_set(
			e, ERR_INVALID,
			"TDX quote: certification data of type %u has size %u, %zu bytes are "
			"there",
			type, size, reader_left(r));
	*data = reader_sub(r, size);
	return 0;
}

/* DCAP API, appendix 3.8 to 3.10. */
static int signature_parse(struct reader *r, struct tdx_quote *q, struct err *e)
{
	struct reader report, chain;

	q->signature = span_take(r, TDX_SIGNATURE_LEN);
	q->key = span_take(r, TDX_KEY_LEN);
	if (cert_data_parse(r, CERT_DATA_QE_REPORT, &report, e) < 0)
		return err_code(e);
	q->qe_report_bytes = span_take(&report, TDX_QE_REPORT_LEN);
	q->qe_signature = span_take(&report, TDX_SIGNATURE_LEN);

	size_t auth_len = reader_le16(&report);

	q->qe_auth = span_take(&report, auth_len);
	if (!reader_ok(&report))
		return err_set(e, ERR_INVALID,
			       "TDX quote: QE report, signature and %zu bytes of authentication "
			       "data do not fit their certification data",
			       auth_len);
	if (cert_data_parse(&report, CERT_DATA_PCK_CHAIN, &chain, e) < 0)
		return err_code(e);
	q->pck_chain = span_take(&chain, reader_left(&chain));
	qe_report_parse(q->qe_report_bytes, &q->qe_report);
	return 0;
}

int tdx_quote_parse(const void *bytes, size_t len, struct tdx_quote *quote, struct err *e)
{
	if (len > TDX_QUOTE_MAX)
		return err_set(e, ERR_INVALID, "TDX quote: %zu bytes are more than %d", len,
			       TDX_QUOTE_MAX);

	struct tdx_quote q = { 0 };
	struct reader r = reader_over(bytes, len);

	if (header_parse(&r, len, &q, e) < 0 || body_type_parse(&r, len, &q, e) < 0)
		return err_code(e);
	body_parse(&r, q.body_type, &q.body);
	q.signed_bytes = (struct span){ bytes, (size_t)(r.pos - (const uint8_t *)bytes) };

	uint32_t size = reader_le32(&r);

	if (!reader_ok(&r))
		return too_short(e, "TD report", len);
	if (size > reader_left(&r))
		return err_set(e, ERR_INVALID,
			       "TDX quote: signature data of %u bytes, %zu bytes are there", size,
			       reader_left(&r));

	struct reader signature = reader_sub(&r, size);

	if (signature_parse(&signature, &q, e) < 0)
		return err_code(e);
	q.padding = reader_left(&r);
	reader_zeros(&r, q.padding);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "TDX quote: the %zu bytes after it are not all zero",
			       q.padding);
	*quote = q;
	return 0;
}

void tdx_parsed_of(struct span bytes, struct tdx_parsed *parsed)
{
	*parsed = (struct tdx_parsed){ .has_quote = false };
	parsed->has_quote =
		tdx_quote_parse(bytes.bytes, bytes.len, &parsed->quote, &parsed->why) == 0;
}
