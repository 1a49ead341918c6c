/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/certificate.h"

#include "computations/ca/ca_seal.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(X509_CRL *, X509_CRL_free)
DEFINE_CLEANUP(X509_REVOKED *, X509_REVOKED_free)
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free)

/* Names need no escaping in OpenSSL's words: neither has a comma or a colon (ca_role.h, authority.h). */
/* Where its status is to be had, and the list. */
static int add_places(const struct authority *a, X509 *cert, struct err *e)
{
	char status[256], list[256], name[AUTHORITY_LIST_NAME_LEN + 1];

	if (!a->url)
		return 0;
	snprintf(status, sizeof(status), "OCSP;URI:%s" CERTIFICATE_STATUS_PATH, a->url);
	authority_list_name(a, name);
	snprintf(list, sizeof(list), "URI:%s" CERTIFICATE_LISTS_PATH "%s", a->url, name);
	if (authority_extend(a->cert, cert, NULL, NID_info_access, status, e) < 0)
		return err_code(e);
	return authority_extend(a->cert, cert, NULL, NID_crl_distribution_points, list, e);
}

static int add_extensions(const struct authority *a, const struct certificate_plan *plan,
			  X509 *cert, struct err *e)
{
	const struct ca_role_rule *rule = &ca_roles[plan->role];
	char names[AUTHORITY_NAME_MAX + 2 * CA_NAME_MAX + 64];

	snprintf(names, sizeof(names), "URI:spiffe://%s/%s/%s%s%s", a->name, rule->name, plan->name,
		 !rule->is_host                   ? ""
		 : ca_name_is_address(plan->name) ? ",IP:"
						  : ",DNS:",
		 rule->is_host ? plan->name : "");
	const struct {
		int nid;
		const char *value;
	} all[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, rule->usage },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
		{ NID_subject_alt_name, names },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (authority_extend(a->cert, cert, NULL, all[i].nid, all[i].value, e) < 0)
			return err_code(e);
	return add_places(a, cert, e);
}

int certificate_sign(const struct authority *a, const struct certificate_plan *plan, EVP_PKEY *key,
		     char **pem, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = X509_new();
	X509_NAME *subject;

	if (!cert)
		return err_nomem(e);
	subject = X509_get_subject_name(cert);
	if (authority_serial_read(plan->serial, X509_get_serialNumber(cert), e) < 0 ||
	    authority_set_times(cert, plan->from, plan->until, e) < 0 ||
	    authority_add_name(subject, NID_organizationalUnitName, ca_roles[plan->role].name, e) <
		    0 ||
	    authority_add_name(subject, NID_commonName, plan->name, e) < 0)
		return err_code(e);
	if (!X509_set_version(cert, X509_VERSION_3) || !X509_set_pubkey(cert, key) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(a->cert)))
		return err_openssl(e, ERR_INTERNAL, "certificate");
	if (add_extensions(a, plan, cert, e) < 0)
		return err_code(e);
	if (ca_seal_cert(a, &cert, e) < 0)
		return err_code(e);
	return authority_cert_pem(cert, pem, e);
}

/* ---- the list of those that are revoked ---- */

static int add_revoked(X509_CRL *crl, const struct certificate_revoked *r, struct err *e)
{
	CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *serial = ASN1_INTEGER_new();
	CLEANUP(ASN1_TIME_free) ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)(r->when / 1000));
	CLEANUP(X509_REVOKED_free) X509_REVOKED *row = X509_REVOKED_new();

	if (!serial || !when || !row)
		return err_nomem(e);
	if (authority_serial_read(r->serial, serial, e) < 0)
		return err_code(e);
	if (!X509_REVOKED_set_serialNumber(row, serial) ||
	    !X509_REVOKED_set_revocationDate(row, when) || !X509_CRL_add0_revoked(crl, row))
		return err_openssl(e, ERR_INTERNAL, "revocation list");
	row = NULL; /* the list's */
	return 0;
}

static int set_number(X509_CRL *crl, int64_t number, struct err *e)
{
	CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *n = ASN1_INTEGER_new();

	if (!n || !ASN1_INTEGER_set_int64(n, number) ||
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) != 1)
		return err_openssl(e, ERR_INTERNAL, "revocation list's number");
	return 0;
}

static int set_list_times(X509_CRL *crl, const struct certificate_list *list, struct err *e)
{
	CLEANUP(ASN1_TIME_free)
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(list->from / 1000));
	CLEANUP(ASN1_TIME_free)
	ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(list->until / 1000));

	if (!from || !until || !X509_CRL_set1_lastUpdate(crl, from) ||
	    !X509_CRL_set1_nextUpdate(crl, until))
		return err_openssl(e, ERR_INTERNAL, "revocation list's times");
	return 0;
}

static int fill_list(const struct authority *a, const struct certificate_list *list, X509_CRL *crl,
		     struct err *e)
{
	if (!X509_CRL_set_version(crl, X509_CRL_VERSION_2) ||
	    !X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->cert)))
		return err_openssl(e, ERR_INTERNAL, "revocation list");
	if (set_list_times(crl, list, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < list->count; i++)
		if (add_revoked(crl, &list->revoked[i], e) < 0)
			return err_code(e);
	if (authority_extend(a->cert, NULL, crl, NID_authority_key_identifier, "keyid:always", e) <
		    0 ||
	    set_number(crl, list->number, e) < 0)
		return err_code(e);
	X509_CRL_sort(crl);
	return 0;
}

static int sign_list(const struct authority *a, const struct certificate_list *list,
		     int (*seal)(const struct authority *a, X509_CRL *list, uint8_t **der,
				 size_t *len, struct err *e),
		     uint8_t **der, size_t *len, struct err *e)
{
	CLEANUP(X509_CRL_free) X509_CRL *crl = X509_CRL_new();
	CLEANUP(free) uint8_t *made = NULL;
	size_t size;

	if (!crl)
		return err_nomem(e);
	if (fill_list(a, list, crl, e) < 0 || seal(a, crl, &made, &size, e) < 0)
		return err_code(e);
	if (size > CA_LIST_MAX)
		return err_set(e, ERR_INTERNAL, "revocation list of %zu bytes", size);
	*der = TAKE_PTR(made);
	*len = size;
	return 0;
}

int certificate_list_sign(const struct authority *a, const struct certificate_list *list,
			  uint8_t **der, size_t *len, struct err *e)
{
	return sign_list(a, list, ca_seal_list, der, len, e);
}

int certificate_own_list(const struct authority *a, const struct certificate_list *list,
			 uint8_t **der, size_t *len, struct err *e)
{
	return sign_list(a, list, ca_seal_own_list, der, len, e);
}
