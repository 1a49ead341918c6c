/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/revocation_file.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/job.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>

void revocation_certs_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, revocation_certs_free)

int revocation_certs_read(const char *pem, STACK_OF(X509) * *certs, struct err *e)
{
	CLEANUP(revocation_certs_free) STACK_OF(X509) *all = sk_X509_new_null();
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert;

	if (!all || !bio)
		return err_nomem(e);
	while ((cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL)))
		if (sk_X509_push(all, cert) <= 0) {
			X509_free(cert);
			return err_nomem(e);
		}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return err_openssl(e, ERR_INVALID, "CA: not a PEM certificate");
	ERR_clear_error();
	*certs = TAKE_PTR(all);
	return 0;
}

static bool push(STACK_OF(X509) * certs, X509 *cert)
{
	if (sk_X509_push(certs, cert) <= 0)
		return false;
	X509_up_ref(cert);
	return true;
}

int revocation_file_init(struct revocation_file *file, const char *path,
			 STACK_OF(X509) * authorities, const struct crl_set *known, struct err *e)
{
	bool whole;

	file->path = strdup(path);
	file->authorities = sk_X509_new_null();
	file->known = sk_X509_new_null();
	whole = file->path && file->authorities && file->known;
	for (int i = 0; whole && i < sk_X509_num(authorities); i++)
		whole = push(file->authorities, sk_X509_value(authorities, i));
	for (size_t i = 0; whole && known && i < known->count; i++)
		if (crl_signer(known->lists[i]))
			whole = push(file->known, crl_signer(known->lists[i]));
	return whole ? 0 : err_nomem(e);
}

void revocation_file_done(struct revocation_file *file)
{
	free(file->path);
	revocation_certs_free(file->authorities);
	revocation_certs_free(file->known);
	crl_set_done(&file->set);
}

/* What it is like first: what comes to be there while it is read is another one. */
void revocation_file_read(struct revocation_file *file)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct err e = { .code = ERR_OK };
	size_t len;

	(void)!stat(file->path, &file->seen); /* file_read() says what is wrong */
	if (file_read(file->path, CRL_FILE_MAX, &bytes, &len, &e) < 0) {
		file->failed = e;
		return;
	}
	if (crl_set_read(bytes, len, &file->set, &e) < 0 ||
	    crl_set_verify(&file->set, file->authorities, file->known,
			   clock_ms(CLOCK_REALTIME) / 1000, &e) < 0)
		(void)err_wrap(&e, "'%s'", file->path);
	else
		e = (struct err){ .code = ERR_OK }; /* of one that it was not of */
	file->failed = e;
}

static void work(void *data)
{
	revocation_file_read(data);
}

static void done(void *data)
{
	struct revocation_file *file = data;

	file->read(file);
}

int revocation_file_start(uv_loop_t *loop, struct revocation_file *file,
			  void (*read)(struct revocation_file *file), struct err *e)
{
	file->read = read;
	return rpc_job_start(loop, work, done, file, e);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool revocation_file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}
