/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/certificate_made.h"

#include "cli/base/text.h"
#include "common/base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

/* ---- files ---- */

int certificate_files_check(struct cli *cli, const struct certificate_files *files, struct err *e)
{
	const char *const all[] = { files->key, files->cert, files->ca };
	struct stat about;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (!all[i] || lstat(all[i], &about) != 0)
			continue;
		cli_hint(cli,
			 "name files that are not there yet: nothing is replaced, so that whoever "
			 "uses the old ones can go over to the new in one step");
		return err_set(e, ERR_EXISTS, "there is a %s already", all[i]);
	}
	return 0;
}

/* Also where two of the files are one. */
int certificate_files_try(const struct certificate_files *files, struct err *e)
{
	int failed;

	if (file_write_new(files->cert, "", 0, 0644, e) < 0)
		return err_code(e);
	failed = files->ca ? file_write_new(files->ca, "", 0, 0644, e) : 0;
	if (files->ca && !failed)
		unlink(files->ca);
	unlink(files->cert);
	return failed;
}

int certificate_files_write_key(const struct certificate_files *files, const EVP_PKEY *key,
				struct err *e)
{
	char *pem = NULL;
	int failed;

	if (key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	failed = file_write_new(files->key, pem, strlen(pem), 0600, e);
	explicit_bzero(pem, strlen(pem));
	free(pem);
	return failed;
}

static int write_certs(const struct certificate_files *files, const Certificates__IssueResponse *m,
		       struct err *e)
{
	if (file_write_new(files->cert, m->certificate, strlen(m->certificate), 0644, e) < 0)
		return err_code(e);
	if (!files->ca ||
	    file_write_new(files->ca, m->authority, strlen(m->authority), 0644, e) == 0)
		return 0;
	unlink(files->cert);
	return err_code(e);
}

/* ---- what is asked ---- */

int certificate_made_request(EVP_PKEY *key, unsigned char **der, int *len, struct err *e)
{
	CLEANUP(X509_REQ_free) X509_REQ *request = X509_REQ_new();
	const EVP_MD *md = key_kind_of(key) == KEY_ED25519 ? NULL : EVP_sha256();

	if (!request || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(request, key) || !X509_REQ_sign(request, key, md))
		return err_openssl(e, ERR_INTERNAL, "make a certificate request");
	*len = i2d_X509_REQ(request, der);
	return *len > 0 ? 0 : err_openssl(e, ERR_INTERNAL, "make a certificate request");
}

/* ---- what is answered ---- */

int certificate_made_read(const char *pem, X509 **cert, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);

	if (!bio)
		return err_nomem(e);
	*cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);
	return *cert ? 0 : err_openssl(e, ERR_INVALID, "there is no certificate in PEM");
}

/* The service's authority was followed by another one: its name is the same, and its key is not. */
static bool is_next_authority(X509 *authority, X509 *before)
{
	bool is_same = X509_verify(before, X509_get0_pubkey(authority)) == 1;

	ERR_clear_error();
	return !is_same;
}

/* Of an authority of that name, and of whom `before` is. */
static int check_before(X509 *cert, X509 *authority, X509 *before, struct err *e)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	int at_before = X509_get_ext_by_NID(before, NID_subject_alt_name, -1);

	if (X509_NAME_cmp(X509_get_issuer_name(before), X509_get_subject_name(authority)) != 0)
		return err_set(e, ERR_INVALID,
			       "the service has answered with a certificate of an authority of "
			       "another name");
	if (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_subject_name(before)) != 0 ||
	    at < 0 || at_before < 0 ||
	    ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(cert, at)),
				  X509_EXTENSION_get_data(X509_get_ext(before, at_before))) != 0)
		return err_set(e, ERR_INVALID,
			       "the service has answered with a certificate of another name");
	return 0;
}

static int check_answer(const Certificates__IssueResponse *m, EVP_PKEY *key, X509 *before,
			bool *is_next, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = NULL, *authority = NULL;

	if (certificate_made_read(m->certificate, &cert, e) < 0 ||
	    certificate_made_read(m->authority, &authority, e) < 0)
		return err_wrap(e, "the service's answer");
	if (EVP_PKEY_eq(X509_get0_pubkey(cert), key) != 1)
		return err_set(e, ERR_INVALID,
			       "the service has answered with a certificate for another key");
	if (X509_check_issued(authority, cert) != X509_V_OK ||
	    X509_verify(cert, X509_get0_pubkey(authority)) != 1)
		return err_openssl(e, ERR_INVALID,
				   "the certificate is not signed by the authority that came with "
				   "it");
	*is_next = before && is_next_authority(authority, before);
	return before ? check_before(cert, authority, before, e) : 0;
}

int certificate_made_take(struct cli *cli, const Certificates__IssueResponse *m, EVP_PKEY *key,
			  X509 *before, const struct certificate_files *files, struct err *e)
{
	char time[COMPUTATION_TIME_MAX];
	bool is_next = false;

	if (check_answer(m, key, before, &is_next, e) < 0 || write_certs(files, m, e) < 0)
		return err_code(e);
	computation_time(m->expires, time);
	fprintf(cli->out, "certificate %s", text_plain(m->serial).text);
	fprintf(cli->out, " of %s", text_plain(m->role).text);
	fprintf(cli->out, " %s until %s written to %s", text_plain(m->name).text, time,
		files->cert);
	if (files->key)
		fprintf(cli->out, ", its key to %s", files->key);
	fprintf(cli->out, "\n");
	if (is_next)
		fprintf(stderr,
			"note: it is of the service's next authority: whoever relies on it has "
			"to trust that, too ('certificate authority')\n");
	return 0;
}
