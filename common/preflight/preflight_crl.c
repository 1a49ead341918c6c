/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_crl.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/timestamp.h"
#include "common/rpc/revocation_file.h"
#include "common/rpc/tls.h"

DEFINE_CLEANUP(STACK_OF(X509) *, revocation_certs_free)
#define CLEANUP_FILE __attribute__((cleanup(revocation_file_done)))

static bool is_own(const struct preflight_crl *files, X509 *cert)
{
	return files->own && EVP_PKEY_eq(X509_get0_pubkey(files->own), X509_get0_pubkey(cert)) == 1;
}

/* `first`: the soonest end of those that were looked at. */
static int check_one(struct crl_set *set, X509 *authority, int64_t now, int64_t *first,
		     struct err *e)
{
	struct crl *list = crl_set_find(set, authority);
	char name[CRL_NAME_TEXT_MAX], end[TIMESTAMP_TEXT_MAX];
	int64_t until = list ? crl_next_update(list) : 0;

	crl_subject_text(authority, name);
	if (!list)
		return err_set(e, ERR_PRECONDITION, "there is no list of %s", name);
	timestamp_format(until, end);
	if (until < now + PREFLIGHT_CRL_LEFT_S)
		return err_set(e, ERR_PRECONDITION, "the list of %s %s %s", name,
			       until < now ? "ended at" : "ends soon, at", end);
	if (!*first || until < *first)
		*first = until;
	return 0;
}

int preflight_crl(const struct preflight_crl *files, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(revocation_certs_free) STACK_OF(X509) *authorities = NULL;
	struct revocation_file file CLEANUP_FILE = { .path = NULL };
	const int64_t now = clock_ms(CLOCK_REALTIME) / 1000;
	CLEANUP(free) char *pem = NULL;
	char end[TIMESTAMP_TEXT_MAX];
	int64_t first = 0;

	if (!files->path)
		return preflight_not_asked(found, "no lists are set: who was revoked comes in");
	if (file_read_text(files->authorities, RPC_TLS_PEM_MAX, &pem, e) < 0 ||
	    revocation_certs_read(pem, &authorities, e) < 0 ||
	    revocation_file_init(&file, files->path, authorities, NULL, e) < 0)
		return err_code(e);
	revocation_file_read(&file);
	if (file.failed.code != ERR_OK) {
		*e = file.failed;
		return err_code(e);
	}
	for (int i = 0; i < sk_X509_num(authorities); i++) {
		X509 *authority = sk_X509_value(authorities, i);

		if (!is_own(files, authority) &&
		    check_one(&file.set, authority, now, &first, e) < 0)
			return err_wrap(e, "'%s'", files->path);
	}
	if (!first)
		return preflight_found(found, "'%s': nobody's list is asked of it", files->path);
	timestamp_format(first, end);
	return preflight_found(found, "'%s', the first to end does so at %s", files->path, end);
}
