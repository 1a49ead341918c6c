/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about certificates: what we read of one is what OpenSSL reads, from which the answer is made. */
#include "common/base/err.h"
#include "computations/ca/ocsp_request.h"

#include <assert.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_inside(struct span s, const uint8_t *bytes, size_t len)
{
	return s.bytes >= bytes && s.bytes + s.len <= bytes + len;
}

/* The very bytes of that one go into the answer. */
static void check_cert(const struct ocsp_cert *c, OCSP_CERTID *theirs)
{
	const uint8_t *at = c->id.bytes;
	OCSP_CERTID *ours = d2i_OCSP_CERTID(NULL, &at, (long)c->id.len);
	ASN1_INTEGER *serial = NULL;
	ASN1_OCTET_STRING *key = NULL;

	assert(ours && at == c->id.bytes + c->id.len && OCSP_id_cmp(ours, theirs) == 0);
	assert(OCSP_id_get0_info(NULL, NULL, &key, &serial, ours));
	assert((size_t)ASN1_STRING_length(key) == c->issuer_key.len &&
	       memcmp(ASN1_STRING_get0_data(key), c->issuer_key.bytes, c->issuer_key.len) == 0);
	OCSP_CERTID_free(ours);
}

static void check_accepted(const uint8_t *bytes, size_t len, const struct ocsp_request *r)
{
	const uint8_t *at = bytes;
	OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &at, (long)len);

	assert(len <= OCSP_REQUEST_MAX && r->count >= 1 && r->count <= OCSP_CERTS_MAX);
	assert(!r->nonce.len || is_inside(r->nonce, bytes, len));
	assert(r->nonce.len <= OCSP_NONCE_MAX);
	for (size_t i = 0; i < r->count; i++) {
		assert(is_inside(r->certs[i].id, bytes, len));
		assert(is_inside(r->certs[i].serial, r->certs[i].id.bytes, r->certs[i].id.len));
	}
	/* It looks into names and signatures, which we pass over. */
	if (theirs) {
		assert(at == bytes + len && (size_t)OCSP_request_onereq_count(theirs) == r->count);
		for (size_t i = 0; i < r->count; i++)
			check_cert(&r->certs[i],
				   OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i)));
		assert((OCSP_REQUEST_get_ext_by_NID(theirs, NID_id_pkix_OCSP_Nonce, -1) >= 0) ==
		       (r->nonce.len > 0));
	}
	OCSP_REQUEST_free(theirs);
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ocsp_request r = { .count = 0 };
	struct err e;

	if (ocsp_request_read(bytes, len, &r, &e) < 0)
		assert(r.count == 0 && e.code == ERR_INVALID && *e.text);
	else
		check_accepted(bytes, len, &r);
	return 0;
}
