/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/crl_set.h"

#include "common/base/der.h"

#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>

void crl_set_done(struct crl_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		crl_free(set->lists[i]);
	set->count = 0;
}

/* ---- a file ---- */

static int add(struct crl_set *set, const void *der, size_t len, size_t *entries, struct err *e)
{
	struct crl *list;

	if (set->count == CRL_FILE_LISTS_MAX)
		return err_set(e, ERR_INVALID, "more than %d lists", CRL_FILE_LISTS_MAX);
	if (crl_read(der, len, &list, e) < 0)
		return err_code(e);
	set->lists[set->count++] = list;
	*entries += crl_count(list);
	if (*entries > CRL_ENTRIES_MAX)
		return err_set(e, ERR_INVALID, "lists with more than %d entries together",
			       CRL_ENTRIES_MAX);
	return 0;
}

/* 1: one was read; 0: there is no further one. */
static int add_block(BIO *bio, struct crl_set *set, size_t *entries, struct err *e)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	int got = PEM_read_bio(bio, &name, &header, &der, &len), failed = 0;

	if (got != 1 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		failed = err_openssl(e, ERR_INVALID, "not PEM");
	else if (got == 1 && (strcmp(name, PEM_STRING_X509_CRL) != 0 || *header))
		failed = err_set(e, ERR_INVALID, "a PEM block that is no 'X509 CRL'");
	else if (got == 1)
		failed = add(set, der, (size_t)len, entries, e);
	ERR_clear_error();
	if (got == 1) {
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	return failed ? failed : got == 1;
}

static int read_pem(const void *bytes, size_t len, struct crl_set *set, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	size_t entries = 0;
	int more;

	if (!bio)
		return err_nomem(e);
	while ((more = add_block(bio, set, &entries, e)) > 0)
		;
	return more;
}

static int read_der(const void *bytes, size_t len, struct crl_set *set, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	size_t entries = 0;

	while (reader_left(&r)) {
		struct span one = der_whole(&r, DER_SEQUENCE);

		if (!reader_ok(&r))
			return err_set(e, ERR_INVALID, "neither PEM nor DER, or cut off");
		if (add(set, one.bytes, one.len, &entries, e) < 0)
			return err_code(e);
	}
	return 0;
}

int crl_set_read(const void *bytes, size_t len, struct crl_set *set, struct err *e)
{
	struct crl_set got CLEANUP_CRL_SET = { .count = 0 };
	const uint8_t *first = bytes;
	int failed;

	if (len > CRL_FILE_MAX)
		return err_set(e, ERR_INVALID, "more than %d bytes of lists", CRL_FILE_MAX);
	failed = len && *first == DER_SEQUENCE && !memmem(bytes, len, "-----BEGIN", 10)
			 ? read_der(bytes, len, &got, e)
			 : read_pem(bytes, len, &got, e);
	if (failed)
		return failed;
	if (!got.count)
		return err_set(e, ERR_INVALID, "no revocation list in it");
	*set = got;
	got.count = 0;
	return 0;
}

/* ---- who signed ---- */

/* 1: one of them did; 0: none has its name; negative: one has, and did not. */
static int verify_by(struct crl *list, STACK_OF(X509) * certs, struct err *e)
{
	bool named = false;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		if (!crl_is_of(list, cert))
			continue;
		named = true;
		if (crl_verify(list, cert, e) == 0)
			return 1;
	}
	return named ? err_code(e) : 0;
}

int crl_set_verify(struct crl_set *set, STACK_OF(X509) * authorities, STACK_OF(X509) * known,
		   int64_t now, struct err *e)
{
	struct err ignored;

	for (size_t i = 0; i < set->count; i++) {
		struct crl *list = set->lists[i];
		int by = verify_by(list, authorities, e);

		if (by < 0)
			return by;
		if (!by)
			(void)!verify_by(list, known, &ignored);
		if (crl_this_update(list) > now)
			return err_set(e, ERR_INVALID, "list of %s: it is from the future",
				       crl_issuer(list));
		for (size_t k = 0; k < i && crl_signer(list); k++)
			if (crl_is_signed_by(set->lists[k], crl_signer(list)))
				return err_set(e, ERR_INVALID,
					       "two lists of %s: leave the newer one",
					       crl_issuer(list));
	}
	return 0;
}

/* ---- newer ones ---- */

static struct crl **place_of(struct crl_set *set, X509 *signer)
{
	for (size_t i = 0; i < set->count; i++)
		if (crl_is_signed_by(set->lists[i], signer))
			return &set->lists[i];
	return NULL;
}

int crl_set_put(struct crl_set *set, struct crl *taken, struct err *e)
{
	CLEANUP(crl_free) struct crl *list = taken;
	struct crl **place = crl_signer(list) ? place_of(set, crl_signer(list)) : NULL;

	if (!place && set->count == CRL_SET_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d lists, with earlier ones",
			       CRL_SET_MAX);
	if (!place) {
		set->lists[set->count++] = TAKE_PTR(list);
		return CRL_PUT_NEW;
	}
	if (crl_is_same(list, *place))
		return CRL_PUT_SAME;
	if (crl_is_older(list, *place))
		return CRL_PUT_OLDER;
	crl_free(*place);
	*place = TAKE_PTR(list);
	return CRL_PUT_NEW;
}

/* What of the last file has no place any more: nobody knows who signed it, or it has ended and has no follower. */
static void drop_rest(struct crl_set *set, struct crl_set *fresh, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct crl *list = set->lists[i];

		if (crl_signer(list) &&
		    (crl_next_update(list) >= now || place_of(fresh, crl_signer(list))))
			set->lists[kept++] = list;
		else
			crl_free(list);
	}
	set->count = kept;
}

static size_t count_kept(struct crl_set *set, struct crl_set *fresh, int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += crl_signer(set->lists[i]) && crl_next_update(set->lists[i]) >= now &&
			 !place_of(fresh, crl_signer(set->lists[i]));
	return count;
}

int crl_set_renew(struct crl_set *set, struct crl_set *fresh, int64_t now, size_t *older,
		  struct err *e)
{
	if (count_kept(set, fresh, now) + fresh->count > CRL_SET_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d lists, with earlier ones",
			       CRL_SET_MAX);
	drop_rest(set, fresh, now);
	*older = 0;
	for (size_t i = 0; i < fresh->count; i++) {
		int put = crl_set_put(set, fresh->lists[i], e);

		*older += put == CRL_PUT_OLDER;
	}
	fresh->count = 0;
	return 0;
}

/* ---- a chain ---- */

struct crl *crl_set_find(struct crl_set *set, X509 *issuer)
{
	struct crl *found = NULL;
	struct err ignored;

	for (size_t i = 0; i < set->count; i++) {
		struct crl *list = set->lists[i];

		if (!crl_is_of(list, issuer) ||
		    (!crl_is_signed_by(list, issuer) &&
		     (crl_signer(list) || crl_verify(list, issuer, &ignored) < 0)))
			continue;
		if (!found || crl_is_older(found, list))
			found = list;
	}
	return found;
}

static void judge(struct crl_set *set, X509 *cert, X509 *issuer, int64_t now, bool every,
		  struct crl_judged *j)
{
	struct crl *list = crl_set_find(set, issuer);

	crl_subject_text(issuer, j->issuer);
	if (!list && !every)
		return;
	if (!list) {
		j->outcome = CRL_UNKNOWN;
		snprintf(j->why, sizeof(j->why), "there is no list of %s", j->issuer);
	} else if (crl_names(list, cert)) {
		j->outcome = CRL_REVOKED;
		snprintf(j->why, sizeof(j->why), "it is revoked by the list of %s", j->issuer);
	} else if (crl_next_update(list) < now || crl_this_update(list) > now) {
		j->outcome = CRL_UNKNOWN;
		snprintf(j->why, sizeof(j->why), "the list of %s %s", j->issuer,
			 crl_next_update(list) < now ? "has ended" : "is from the future");
	}
	if (j->outcome != CRL_GOOD) {
		crl_subject_text(cert, j->subject);
		crl_serial_text(cert, j->serial);
	}
}

struct crl_judged crl_set_judge(struct crl_set *set, STACK_OF(X509) * chain, int64_t now,
				bool every)
{
	struct crl_judged j = { .outcome = CRL_GOOD }, unknown = { .outcome = CRL_GOOD };

	for (int i = 0; i + 1 < sk_X509_num(chain) && j.outcome != CRL_REVOKED; i++) {
		j = (struct crl_judged){ .outcome = CRL_GOOD };
		judge(set, sk_X509_value(chain, i), sk_X509_value(chain, i + 1), now, every, &j);
		if (j.outcome == CRL_UNKNOWN && unknown.outcome == CRL_GOOD)
			unknown = j;
	}
	return j.outcome == CRL_REVOKED ? j : unknown;
}
