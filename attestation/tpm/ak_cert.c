/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/ak_cert.h"

#include "common/base/der.h"
#include "common/crypto/key.h"

#include <string.h>

/* Intermediates that may be offered; more than a path needs, since several may have one name. */
enum { OFFERED_MAX = 16 };

static const unsigned algorithms = X509_P256_SHA256 | X509_P384_SHA384 | X509_RSA_SHA256 |
				   X509_RSA_SHA384 | X509_RSA_SHA512 | X509_RSA4096_PSS_SHA384;

struct offered {
	struct x509 *certs[OFFERED_MAX];
	size_t count;
};

static void offered_done(struct offered *o)
{
	for (size_t i = 0; i < o->count; i++)
		x509_free(o->certs[i]);
}

/* tcg-kp-EKCertificate and tcg-kp-AIKCertificate. Google's certificates of AKs have the first. */
static const char *const purposes[] = { "2.23.133.8.1", "2.23.133.8.3" };

/* Which purposes an extended key usage names. */
struct purposes {
	bool there;   /* there is one, and it can be read */
	bool wanted;  /* it names one of the first `count` of the list */
	bool foreign; /* it names one that is not in the list */
};

static struct purposes purposes_of(const struct x509 *cert, size_t count)
{
	const struct x509_extension *x = x509_extension_of(cert, "2.5.29.37");
	struct purposes found = { false, false, false };
	struct reader outer, r;

	if (!x)
		return found;
	outer = span_reader(x->value);
	r = der_enter(&outer, DER_SEQUENCE);
	while (!r.bad && reader_left(&r) > 0) {
		struct span oid = der_body(&r, DER_OID);
		size_t i = 0;

		while (i < ARRAY_LEN(purposes) && !der_oid_is(oid, purposes[i]))
			i++;
		found.wanted = found.wanted || i < count;
		found.foreign = found.foreign || i == ARRAY_LEN(purposes);
	}
	found.there = reader_done(&outer) && reader_done(&r);
	return found;
}

/* A directoryName has a TPM's maker, model or version (TCG EK Credential Profile 2.6, 3.1.2). */
static bool is_tpm_name(struct span directory)
{
	static const char *const attributes[] = { "2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3" };
	struct reader outer = span_reader(directory), sets = der_enter(&outer, DER_SEQUENCE);
	bool found = false;

	while (!sets.bad && reader_left(&sets) > 0) {
		struct reader set = der_enter(&sets, DER_SET);

		while (!set.bad && reader_left(&set) > 0) {
			struct reader one = der_enter(&set, DER_SEQUENCE);
			struct span oid = der_body(&one, DER_OID);

			for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
				found = der_oid_is(oid, attributes[i]) || found;
		}
		if (!reader_done(&set))
			return false;
	}
	return reader_done(&outer) && reader_done(&sets) && found;
}

/* A subjectAltName says a TPM's maker and model as directoryName, or its number as otherName; a host's or a person's
 * name is of another certificate. */
struct names {
	bool foreign; /* it has a name of another kind, or can't be read */
	bool tpm;     /* it has a TPM's maker, model or version */
};

static struct names names_of(const struct x509 *leaf)
{
	const struct x509_extension *x = x509_extension_of(leaf, "2.5.29.17");
	struct names found = { false, false };
	struct reader outer, names;
	struct der name;

	if (!x)
		return found;
	outer = span_reader(x->value);
	names = der_enter(&outer, DER_SEQUENCE);
	while (reader_left(&names) > 0 && der_next(&names, &name)) {
		bool directory = name.tag == (DER_CONTEXT_CONSTRUCTED | 4);

		found.tpm = found.tpm || (directory && is_tpm_name(name.body));
		found.foreign =
			found.foreign || (!directory && name.tag != (DER_CONTEXT_CONSTRUCTED | 0));
	}
	found.foreign = found.foreign || !reader_done(&outer) || !reader_done(&names);
	return found;
}

/* The certificate is for one of the first `count` purposes: it says so, or names a TPM, or says nothing and its
 * issuer certifies TPMs and nothing else (one kind of Google's). Any authority signs certificates that say
 * nothing. Its names have to be understood where they are critical (RFC 5280, 4.2), and where they or the
 * issuer are all that tells. */
static bool is_meant(const struct x509 *leaf, const struct x509 *issuer, size_t count)
{
	const struct x509_extension *names = x509_extension_of(leaf, "2.5.29.17");
	const struct names named = names_of(leaf);
	const struct purposes own = purposes_of(leaf, count), above = purposes_of(issuer, count);

	if (x509_extension_of(leaf, "2.5.29.37"))
		return own.there && own.wanted && !(names && names->critical && named.foreign);
	return !named.foreign && (named.tpm || (above.there && above.wanted && !above.foreign));
}

static int ek_extensions_check(const struct x509 *leaf, const struct x509 *issuer, struct err *e)
{
	if (leaf->has_constraints && leaf->is_ca)
		return err_set(e, ERR_DENIED, "the EK certificate is a CA's");
	if (!leaf->has_usage ||
	    !(leaf->usage & (X509_USE_KEY_ENCIPHERMENT | X509_USE_KEY_AGREEMENT)) ||
	    (leaf->usage & X509_USE_DIGITAL_SIGNATURE))
		return err_set(e, ERR_DENIED, "the EK certificate's key is not for key exchange");
	if (!is_meant(leaf, issuer, 1))
		return err_set(e, ERR_DENIED, "the certificate is not meant for an EK");
	return 0;
}

/* TPM makers and clouds use these; what they say beside is not asked for. A key that the same authority
 * certified for another purpose, a server's say, is no TPM's. */
static int extensions_check(const struct x509 *leaf, const struct x509 *issuer, struct err *e)
{
	if (leaf->has_constraints && leaf->is_ca)
		return err_set(e, ERR_DENIED, "the AK certificate is a CA's");
	if (leaf->has_usage && !(leaf->usage & X509_USE_DIGITAL_SIGNATURE))
		return err_set(e, ERR_DENIED, "the AK certificate's key is not for signatures");
	if (!is_meant(leaf, issuer, ARRAY_LEN(purposes)))
		return err_set(e, ERR_DENIED, "the certificate is not meant for an AK");
	return 0;
}

static int pem_offer(struct span pem, struct offered *o, struct err *e)
{
	struct x509_chain chain;

	if (x509_chain_from_pem((const char *)pem.bytes, pem.len, &chain, e) < 0)
		return err_code(e);
	if (o->count + chain.count > OFFERED_MAX) {
		x509_chain_done(&chain);
		return err_set(e, ERR_INVALID, "more than %d intermediates", OFFERED_MAX);
	}
	for (size_t i = 0; i < chain.count; i++)
		o->certs[o->count++] = chain.certs[i]; /* ours now */
	return 0;
}

static int offer(struct span bytes, struct offered *o, struct err *e)
{
	if (bytes.len > 0 && bytes.bytes[0] == '-')
		return pem_offer(bytes, o, e);
	if (o->count == OFFERED_MAX)
		return err_set(e, ERR_INVALID, "more than %d intermediates", OFFERED_MAX);
	if (x509_from_der(bytes.bytes, bytes.len, &o->certs[o->count], e) < 0)
		return err_code(e);
	o->count++;
	return 0;
}

/* `issuer` signed `cert`, and may sign at this place in the path, now. */
static int link_check(const struct x509 *cert, const struct x509 *issuer, unsigned below,
		      int64_t at, struct err *e)
{
	if (x509_verify(cert, issuer, algorithms, below, e) < 0 ||
	    x509_nothing_unjudged(issuer, e) < 0)
		return err_code(e);
	return x509_valid_at(issuer, at, e);
}

/* One step up: an intermediate that was offered, has the name and holds. */
static const struct x509 *issuer_of(const struct x509 *cert, const struct offered *o,
				    unsigned below, int64_t at, struct err *e)
{
	err_set(e, ERR_DENIED, "no issuer of the certificate was given");
	for (size_t i = 0; i < o->count; i++)
		if (span_equal(cert->issuer, o->certs[i]->subject) &&
		    link_check(cert, o->certs[i], below, at, e) == 0)
			return o->certs[i];
	return NULL;
}

/* `*issuer` is who signed the leaf. */
static int path_check(const struct x509 *leaf, const struct offered *o, const struct x509 *root,
		      int64_t at, const struct x509 **issuer, struct err *e)
{
	const struct x509 *cert = leaf, *above;

	for (unsigned below = 0; below < AK_CERT_PATH_MAX; below++) {
		bool last = span_equal(cert->issuer, root->subject);

		above = last ? root : issuer_of(cert, o, below, at, e);
		if (!above)
			return err_code(e);
		if (below == 0)
			*issuer = above;
		if (last)
			return link_check(cert, root, below, at, e);
		cert = above;
	}
	return err_set(e, ERR_DENIED, "a path of more than %d certificates", AK_CERT_PATH_MAX);
}

static int verify(const struct ak_cert_input *in, const struct offered *o, EVP_PKEY **key,
		  struct err *e)
{
	CLEANUP(x509_free) struct x509 *leaf = NULL;
	CLEANUP(x509_free) struct x509 *root = NULL;
	const struct x509 *issuer = NULL;
	EVP_PKEY *made; /* the leaf's */

	if (x509_load(in->cert.bytes, in->cert.len, &leaf, e) < 0)
		return err_wrap(e, "%s certificate", in->is_ek ? "EK" : "AK");
	if (x509_load(in->root.bytes, in->root.len, &root, e) < 0)
		return err_wrap(e, "the root that you named");
	if (path_check(leaf, o, root, in->at, &issuer, e) < 0 ||
	    x509_valid_at(leaf, in->at, e) < 0 ||
	    (in->is_ek ? ek_extensions_check(leaf, issuer, e) : extensions_check(leaf, issuer, e)) <
		    0)
		return err_code(e);
	if (x509_key(leaf, &made, e) < 0)
		return err_wrap(e, "%s certificate", in->is_ek ? "EK" : "AK");
	if (!EVP_PKEY_up_ref(made))
		return err_set(e, ERR_INTERNAL, "its key");
	*key = made;
	return 0;
}

int ak_cert_verify(const struct ak_cert_input *in, EVP_PKEY **key, struct err *e)
{
	struct offered o = { 0 };
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < in->intermediate_count; i++)
		failed = offer(in->intermediates[i], &o, e);
	if (failed == 0)
		failed = verify(in, &o, key, e);
	offered_done(&o);
	return failed;
}

/* The directoryName of a subjectAltName: [4], explicit, since a Name is a CHOICE (RFC 5280, 4.2.1.6). */
static void tpm_name(const struct x509 *leaf, struct verdict *v)
{
	const struct x509_extension *x = x509_extension_of(leaf, "2.5.29.17");
	struct reader outer, names;
	struct der name;

	if (!x)
		return;
	outer = span_reader(x->value);
	names = der_enter(&outer, DER_SEQUENCE);
	while (reader_left(&names) > 0 && der_next(&names, &name))
		if (name.tag == (DER_CONTEXT_CONSTRUCTED | 4))
			verdict_name(v, name.body);
}

void ak_cert_names(const struct ak_cert_input *in, struct verdict *v)
{
	CLEANUP(x509_free) struct x509 *leaf = NULL;
	CLEANUP(x509_free) struct x509 *root = NULL;
	struct err e;

	if (in->root.len && x509_load(in->root.bytes, in->root.len, &root, &e) == 0)
		verdict_root(v, root);
	if (in->cert.len && x509_load(in->cert.bytes, in->cert.len, &leaf, &e) == 0) {
		verdict_name(v, leaf->issuer);
		tpm_name(leaf, v);
	}
}

bool ak_cert_same_key(const EVP_PKEY *key, const EVP_PKEY *ak)
{
	return EVP_PKEY_eq(key, ak) == 1;
}
