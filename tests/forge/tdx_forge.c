/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/forge/tdx_forge.h"

#include "common/base/der.h"
#include "common/base/encode.h"
#include "common/base/timestamp.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "tests/forge/must.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY = 86400, YEAR = 365 * DAY, DER_MAX = 1024 };

#define ZERO48                                                                                     \
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"00000000"
#define SVN_REST                                                                                \
	",{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}," \
	"{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}]"
#define LEVEL(sgx0, pcesvn, tdx2, status)                                                     \
	"{\"tcb\":{\"sgxtcbcomponents\":[{\"svn\":" sgx0 "},{\"svn\":3},{\"svn\":2}" SVN_REST \
	",\"pcesvn\":" pcesvn ",\"tdxtcbcomponents\":[{\"svn\":5},{\"svn\":0},{\"svn\":" tdx2 \
	"}" SVN_REST "},\"tcbDate\":\"2025-01-01T00:00:00Z\",\"tcbStatus\":\"" status "\""

const char forge_tcb_info[] =
	"{\"id\":\"TDX\",\"version\":3,\"issueDate\":\"2026-06-01T00:00:00Z\","
	"\"nextUpdate\":\"2026-07-01T00:00:00Z\",\"fmspc\":\"A1B2C3D4E5F6\",\"pceId\":\"0000\","
	"\"tcbType\":0,\"tcbEvaluationDataNumber\":18,\"tdxModule\":{\"mrsigner\":\"" ZERO48
	"\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},"
	"\"tdxModuleIdentities\":[{\"id\":\"TDX_01\",\"mrsigner\":\"" ZERO48
	"\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\","
	"\"tcbLevels\":[{\"tcb\":{\"isvsvn\":5},\"tcbDate\":\"2025-01-01T00:00:00Z\","
	"\"tcbStatus\":\"UpToDate\"},{\"tcb\":{\"isvsvn\":3},\"tcbDate\":\"2024-01-01T00:00:00Z\","
	"\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"TEST-SA-00002\",\"TEST-SA-00001\"]},"
	"{\"tcb\":{\"isvsvn\":1},\"tcbDate\":\"2023-01-01T00:00:00Z\",\"tcbStatus\":\"Revoked\"}]}]"
	","
	"\"tcbLevels\":[" LEVEL("3", "11", "3", "UpToDate") "}," LEVEL(
		"3", "11", "2", "OutOfDate") ",\"advisoryIDs\":[\"TEST-SA-00001\"]}]}";

const char forge_qe_identity[] =
	"{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"2026-06-01T00:00:00Z\","
	"\"nextUpdate\":\"2026-07-01T00:00:00Z\",\"tcbEvaluationDataNumber\":18,"
	"\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
	"\"attributes\":\"11000000000000000000000000000000\","
	"\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
	"\"mrsigner\":\"5555555555555555555555555555555555555555555555555555555555555555\","
	"\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2025-01-01T00:00:"
	"00Z\","
	"\"tcbStatus\":\"UpToDate\"},{\"tcb\":{\"isvsvn\":3},\"tcbDate\":\"2024-01-01T00:00:00Z\","
	"\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"TEST-SA-00003\"]}]}";

static void name_set(const struct tdx_forge *f, X509_NAME *name, const char *common_name)
{
	const char *const parts[][2] = {
		{ "O", f->organization }, { "L", "Santa Clara" }, { "ST", "CA" }, { "C", "US" }
	};

	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)common_name, -1,
					-1, 0) == 1);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		MUST(X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_ASC,
						(const uint8_t *)parts[i][1], -1, -1, 0) == 1);
}

static void extension_add(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

	MUST(x);
	MUST(X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

/* Puts what follows `from` into one DER value. */
static void der_wrap(struct writer *w, size_t from, uint8_t tag)
{
	uint8_t copy[DER_MAX];
	size_t len = w->len - from;

	memcpy(copy, w->bytes + from, len);
	w->len = from;
	writer_u8(w, tag);
	if (len >= 0x100)
		writer_u8(w, 0x82), writer_be16(w, (uint16_t)len);
	else if (len >= 0x80)
		writer_u8(w, 0x81), writer_u8(w, (uint8_t)len);
	else
		writer_u8(w, (uint8_t)len);
	writer_bytes(w, copy, len);
}

static void der_oid_arc(struct writer *w, const char *prefix, unsigned arc)
{
	uint8_t oid[DER_OID_MAX];
	size_t len = der_oid(prefix, oid), from = w->len;

	writer_bytes(w, oid, len);
	writer_u8(w, (uint8_t)arc);
	der_wrap(w, from, DER_OID);
}

static void der_number(struct writer *w, uint8_t value)
{
	writer_u8(w, DER_INTEGER);
	writer_u8(w, 1);
	writer_u8(w, value);
}

static void der_octets(struct writer *w, const uint8_t *bytes, size_t len)
{
	size_t from = w->len;

	writer_bytes(w, bytes, len);
	der_wrap(w, from, DER_OCTET_STRING);
}

/* PCK Certificate profile 1.3.5: components 3, 3, 2, 0, …; PCESVN 11. */
static void sgx_tcb(struct writer *w)
{
	static const uint8_t components[16] = { 3, 3, 2 };
	size_t seq = w->len;

	for (unsigned arc = 1; arc <= 18; arc++) {
		size_t from = w->len;

		der_oid_arc(w, TDX_PCK_EXTENSION ".2", arc);
		if (arc <= 16)
			der_number(w, components[arc - 1]);
		else if (arc == 17)
			der_number(w, FORGE_PCESVN);
		else
			der_octets(w, components, sizeof(components));
		der_wrap(w, from, DER_SEQUENCE);
	}
	der_wrap(w, seq, DER_SEQUENCE);
}

/* PPID and PIID are `platform`, sixteen times. */
static void sgx_extension(X509 *cert, uint8_t platform)
{
	static const uint8_t fmspc[] = { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6 };
	struct writer w = writer_up_to(DER_MAX);
	uint8_t bytes[16] = { 0 };

	memset(bytes, platform, sizeof(bytes));
	for (unsigned arc = 1; arc <= 6; arc++) {
		size_t from = w.len;

		der_oid_arc(&w, TDX_PCK_EXTENSION, arc);
		if (arc == 2)
			sgx_tcb(&w);
		else if (arc == 5)
			writer_bytes(&w, "\x0a\x01\x01", 3);
		else if (arc == 3) /* PCEID */
			der_octets(&w, (const uint8_t[2]){ 0 }, 2);
		else
			der_octets(&w, arc == 4 ? fmspc : bytes, arc == 4 ? sizeof(fmspc) : 16);
		der_wrap(&w, from, DER_SEQUENCE);
	}
	der_wrap(&w, 0, DER_SEQUENCE);

	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj(TDX_PCK_EXTENSION, 1);

	MUST(ASN1_OCTET_STRING_set(octets, w.bytes, (int)w.len) == 1);

	X509_EXTENSION *x = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);

	MUST(X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(octets);
	writer_done(&w);
}

static X509 *cert_make(const struct tdx_forge *f, enum forge_key subject, const char *name,
		       enum forge_key issuer, const char *issuer_name)
{
	X509 *cert = X509_new();
	bool ca = subject == FORGE_ROOT || subject == FORGE_CA;

	MUST(cert);
	MUST(X509_set_version(cert, 2) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), 100 + (long)subject) == 1);
	name_set(f, X509_get_subject_name(cert), name);
	name_set(f, X509_get_issuer_name(cert), issuer_name);
	MUST(ASN1_TIME_set(X509_getm_notBefore(cert), f->at - YEAR));
	MUST(ASN1_TIME_set(X509_getm_notAfter(cert), f->at + YEAR));
	MUST(X509_set_pubkey(cert, f->keys[subject]) == 1);
	extension_add(cert, NID_basic_constraints,
		      subject == FORGE_ROOT ? "critical,CA:TRUE,pathlen:1"
		      : ca                  ? "critical,CA:TRUE,pathlen:0"
					    : "critical,CA:FALSE");
	extension_add(cert, NID_key_usage,
		      ca ? "critical,keyCertSign,cRLSign"
			 : "critical,digitalSignature,nonRepudiation");
	if (subject == FORGE_PCK)
		sgx_extension(cert, f->platform);
	MUST(X509_sign(cert, f->keys[issuer], EVP_sha256()) > 0);
	return cert;
}

static void crl_make(const struct tdx_forge *f, enum forge_key issuer, const char *name,
		     uint8_t **der, struct span *span)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, f->at - f->lasts);
	ASN1_TIME *to = ASN1_TIME_set(NULL, f->at + f->lasts);
	X509_NAME *issuer_name = X509_NAME_new();

	name_set(f, issuer_name, name);
	MUST(X509_CRL_set_version(crl, 1) == 1);
	MUST(X509_CRL_set_issuer_name(crl, issuer_name) == 1);
	MUST(X509_CRL_set1_lastUpdate(crl, from) == 1);
	MUST(X509_CRL_set1_nextUpdate(crl, to) == 1);
	MUST(X509_CRL_sign(crl, f->keys[issuer], EVP_sha256()) > 0);
	*der = NULL;

	int len = i2d_X509_CRL(crl, der);

	MUST(len > 0);
	*span = (struct span){ *der, (size_t)len };
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_NAME_free(issuer_name);
	X509_CRL_free(crl);
}

static char *pem_join(X509 *const *certs, size_t count)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	for (size_t i = 0; i < count; i++)
		MUST(PEM_write_bio_X509(bio, certs[i]) == 1);

	long len = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static const char root_name[] = "Intel SGX Root CA", ca_name[] = "Intel SGX PCK Platform CA";

char *tdx_forge_other_platform(struct tdx_forge *f)
{
	X509 *root = cert_make(f, FORGE_ROOT, root_name, FORGE_ROOT, root_name);
	X509 *ca = cert_make(f, FORGE_CA, ca_name, FORGE_ROOT, root_name), *pck;
	char *chain;

	f->platform = 1;
	pck = cert_make(f, FORGE_PCK, "Intel SGX PCK Certificate", FORGE_CA, ca_name);
	f->platform = 0;
	chain = pem_join((X509 *[]){ pck, ca, root }, 3);
	X509_free(root);
	X509_free(ca);
	X509_free(pck);
	return chain;
}

static void certs_make(struct tdx_forge *f)
{
	X509 *root = cert_make(f, FORGE_ROOT, root_name, FORGE_ROOT, root_name);
	X509 *ca = cert_make(f, FORGE_CA, ca_name, FORGE_ROOT, root_name);
	X509 *pck = cert_make(f, FORGE_PCK, "Intel SGX PCK Certificate", FORGE_CA, ca_name);
	X509 *signing = cert_make(f, FORGE_SIGNING, "Intel SGX TCB Signing", FORGE_ROOT, root_name);

	f->pck_chain = pem_join((X509 *[]){ pck, ca, root }, 3);
	f->issuer_chain = pem_join((X509 *[]){ signing, root }, 2);
	f->crl_chain = pem_join((X509 *[]){ ca, root }, 2);
	f->root_pem = pem_join((X509 *[]){ root }, 1);
	crl_make(f, FORGE_ROOT, root_name, &f->root_crl, &f->collateral.root_crl);
	crl_make(f, FORGE_CA, ca_name, &f->pck_crl, &f->collateral.pck_crl);
	f->collateral.tcb_info_chain = f->collateral.qe_identity_chain = text_span(f->issuer_chain);
	f->collateral.pck_crl_chain = text_span(f->crl_chain);
	X509_free(root);
	X509_free(ca);
	X509_free(pck);
	X509_free(signing);
}

static void raw_sign(EVP_PKEY *key, const void *bytes, size_t len, uint8_t raw[64])
{
	uint8_t der[SIGNATURE_MAX];
	size_t der_len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *at = der;

	MUST(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	MUST(EVP_DigestSign(ctx, der, &der_len, bytes, len) == 1);

	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);

	MUST(sig);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

char *tdx_forge_document(const struct tdx_forge *f, const char *name, const char *body)
{
	uint8_t raw[64];
	char hex[2 * sizeof(raw) + 1];
	char *text;

	raw_sign(f->keys[FORGE_SIGNING], body, strlen(body), raw);
	hex_encode(raw, sizeof(raw), hex);
	MUST(asprintf(&text, "{\"%s\":%s,\"signature\":\"%s\"}", name, body, hex) > 0);
	return text;
}

void tdx_forge_good_quote(struct forge_quote *q)
{
	static const uint8_t svn[TDX_SVN_LEN] = { 5, 1, 3 };

	memset(q, 0, sizeof(*q));
	q->version = 5;
	q->body_type = TDX_BODY_15;
	memcpy(q->body.tee_tcb_svn, svn, sizeof(svn));
	memcpy(q->body.tee_tcb_svn2, svn, sizeof(svn));
	q->body.tdattributes[3] = 0x10; /* SEPT_VE_DISABLE */
	q->body.xfam[0] = 0xe7;
	memset(q->body.mrtd, 0xa0, TDX_MR_LEN);
	memset(q->body.mrseam, 0xa1, TDX_MR_LEN);
	memset(q->body.mrconfigid, 0xa2, TDX_MR_LEN);
	memset(q->body.mrowner, 0xa3, TDX_MR_LEN);
	memset(q->body.mrownerconfig, 0xa4, TDX_MR_LEN);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		memset(q->body.rtmr[i], (int)(0xb0 + i), TDX_MR_LEN);
	memset(q->body.reportdata, 0xc0, sizeof(q->body.reportdata));
	q->qe.attributes[0] = 0x11;
	memset(q->qe.mrsigner, 0x55, sizeof(q->qe.mrsigner));
	q->qe.isvprodid = 2;
	q->qe.isvsvn = 4;
}

static void header_put(struct writer *w, const struct forge_quote *q)
{
	static const uint8_t vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					    0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

	writer_le16(w, q->version);
	writer_le16(w, 2);
	writer_le32(w, 0x81);
	writer_le16(w, q->qe_svn);
	writer_le16(w, q->pce_svn);
	writer_bytes(w, vendor, sizeof(vendor));
	writer_zeros(w, TDX_USER_DATA_LEN);
	if (q->version == 5) {
		writer_le16(w, (uint16_t)q->body_type);
		writer_le32(w, q->body_type == TDX_BODY_15 ? TDX_BODY15_LEN : TDX_BODY10_LEN);
	}
}

static void qe_put(const struct tdx_forge *f, const struct forge_quote *q, const uint8_t *key,
		   uint8_t report[TDX_QE_REPORT_LEN])
{
	struct digest_part parts[] = { { key, TDX_KEY_LEN }, { q->auth, sizeof(q->auth) } };
	struct err e;

	memset(report, 0, TDX_QE_REPORT_LEN);
	memcpy(report, q->qe.cpusvn, 16);
	memcpy(report + 16, q->qe.miscselect, 4);
	memcpy(report + 48, q->qe.attributes, 16);
	memcpy(report + 64, q->qe.mrenclave, 32);
	memcpy(report + 128, q->qe.mrsigner, 32);
	report[256] = (uint8_t)q->qe.isvprodid;
	report[257] = (uint8_t)(q->qe.isvprodid >> 8);
	report[258] = (uint8_t)q->qe.isvsvn;
	report[259] = (uint8_t)(q->qe.isvsvn >> 8);
	MUST(digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), report + 320, &e) == 0);
}

static void key_put(EVP_PKEY *key, uint8_t raw[TDX_KEY_LEN])
{
	uint8_t point[1 + TDX_KEY_LEN];
	size_t len;

	MUST(EVP_PKEY_get_octet_string_param(key, "pub", point, sizeof(point), &len) == 1);
	MUST(len == sizeof(point));
	memcpy(raw, point + 1, TDX_KEY_LEN);
}

size_t tdx_forge_quote(const struct tdx_forge *f, const struct forge_quote *q,
		       uint8_t out[FORGE_QUOTE_MAX])
{
	struct writer w = writer_up_to(FORGE_QUOTE_MAX);
	uint8_t signature[64], key[TDX_KEY_LEN], report[TDX_QE_REPORT_LEN];
	size_t chain = strlen(f->pck_chain);
	size_t inner = TDX_QE_REPORT_LEN + 64 + 2 + sizeof(q->auth) + 6 + chain;

	header_put(&w, q);
	writer_bytes(&w, &q->body, q->body_type == TDX_BODY_15 ? TDX_BODY15_LEN : TDX_BODY10_LEN);
	raw_sign(f->keys[FORGE_ATTESTATION], w.bytes, w.len, signature);
	writer_le32(&w, (uint32_t)(64 + TDX_KEY_LEN + 6 + inner));
	writer_bytes(&w, signature, sizeof(signature));
	key_put(f->keys[FORGE_ATTESTATION], key);
	writer_bytes(&w, key, sizeof(key));
	writer_le16(&w, 6);
	writer_le32(&w, (uint32_t)inner);
	qe_put(f, q, key, report);
	writer_bytes(&w, report, sizeof(report));
	raw_sign(f->keys[FORGE_PCK], report, sizeof(report), signature);
	writer_bytes(&w, signature, sizeof(signature));
	writer_le16(&w, sizeof(q->auth));
	writer_bytes(&w, q->auth, sizeof(q->auth));
	writer_le16(&w, 5);
	writer_le32(&w, (uint32_t)chain);
	writer_bytes(&w, f->pck_chain, chain);
	MUST(!w.bad);

	size_t len = w.len;

	memcpy(out, w.bytes, len);
	writer_done(&w);
	return len;
}

/* The bodies below were written for the default moment; other dates are as long. */
static char *body_at(const struct tdx_forge *f, const char *body)
{
	static const char *const written[] = { "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z" };
	int64_t wanted[] = { f->at - 14 * DAY, f->at + 16 * DAY };
	char *text = strdup(body);

	MUST(text);
	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		char date[TIMESTAMP_TEXT_MAX];
		char *at = strstr(text, written[i]);

		timestamp_format(wanted[i], date);
		MUST(at && strlen(date) == strlen(written[i]));
		memcpy(at, date, strlen(date));
	}
	return text;
}

static char *document_at(const struct tdx_forge *f, const char *name, const char *body)
{
	CLEANUP(free) char *text = body_at(f, body);

	return tdx_forge_document(f, name, text);
}

void tdx_forge_init(struct tdx_forge *f)
{
	struct err e;

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FORGE_KEY_COUNT; i++)
		MUST(key_generate(KEY_ECDSA, &f->keys[i], &e) == 0);
	f->organization = "Intel Corporation";
	f->at = FORGE_AT;
	f->lasts = DAY;
	tdx_forge_make(f);
}

void tdx_forge_make(struct tdx_forge *f)
{
	certs_make(f);
	f->tcb_info = document_at(f, "tcbInfo", forge_tcb_info);
	f->qe_identity = document_at(f, "enclaveIdentity", forge_qe_identity);
	f->collateral.tcb_info = text_span(f->tcb_info);
	f->collateral.qe_identity = text_span(f->qe_identity);
	tdx_forge_good_quote(&f->good);
}

void tdx_forge_done(struct tdx_forge *f)
{
	for (size_t i = 0; i < FORGE_KEY_COUNT; i++)
		EVP_PKEY_free(f->keys[i]);
	free(f->pck_chain);
	free(f->issuer_chain);
	free(f->crl_chain);
	free(f->root_pem);
	OPENSSL_free(f->root_crl);
	OPENSSL_free(f->pck_crl);
	free(f->tcb_info);
	free(f->qe_identity);
}

void tdx_forge_policy(const struct tdx_body *body, struct tdx_policy *policy)
{
	tdx_policy_init(policy);
	policy->mrtd = (struct value_set){ body->mrtd, 1 };
	policy->mrseam = (struct value_set){ body->mrseam, 1 };
	policy->mrconfigid = (struct value_set){ body->mrconfigid, 1 };
	policy->mrowner = (struct value_set){ body->mrowner, 1 };
	policy->mrownerconfig = (struct value_set){ body->mrownerconfig, 1 };
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		policy->rtmr[i] = (struct value_set){ body->rtmr[i], 1 };
}

void tdx_forge_input(const struct tdx_forge *f, const uint8_t *quote, size_t len,
		     const struct tdx_body *body, const struct tdx_policy *policy,
		     struct tdx_input *in)
{
	*in = (struct tdx_input){
		.quote = { quote, len },
		.endorsements = { .collateral = f->collateral,
				  .trusted_root = text_span(f->root_pem),
				  .at = FORGE_AT },
		.report_data = body->reportdata,
		.policy = policy,
	};
}
