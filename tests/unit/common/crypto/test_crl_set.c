/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/crl_set.h"
#include "tests/unit/common/crypto/crl_room.h"

#define SIGNS "critical,keyCertSign,cRLSign"

static void certs_free(STACK_OF(X509) * *certs)
{
	sk_X509_free(*certs); /* lent */
}
#define CLEANUP_CERTS __attribute__((cleanup(certs_free)))

static STACK_OF(X509) * certs_of(X509 *a, X509 *b, X509 *c)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509 *const all[] = { a, b, c };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_true(!all[i] || sk_X509_push(certs, all[i]) > 0);
	return certs;
}

/* A set of one list, whose signer is known. */
static struct crl_set set_of(const struct crl_room_ca *ca, const struct crl_room_list *l)
{
	struct crl_set set = { .lists = { crl_room_read(ca, l) }, .count = 1 };
	struct err e;

	assert_ok(crl_verify(set.lists[0], ca->cert, &e), e);
	return set;
}

static char *pem_of(const struct crl_room_ca *ca, const struct crl_room_list *l)
{
	size_t len;
	uint8_t *der = crl_room_der(ca, l, &len);
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long size;

	assert_true(PEM_write_bio(bio, PEM_STRING_X509_CRL, "", der, (long)len) > 0);
	OPENSSL_free(der);
	size = BIO_get_mem_data(bio, &text);
	return strndup(text, (size_t)size);
}

static void files_are_pem_or_der(void **state)
{
	struct crl_room_ca one CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_room_ca two CLEANUP_CA = crl_room_ca("two", SIGNS);
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 };
	CLEANUP(free) char *a = pem_of(&one, &(struct crl_room_list){ 0 });
	CLEANUP(free) char *b = pem_of(&two, &(struct crl_room_list){ 0 });
	CLEANUP(free) char *both = NULL;
	size_t lens[2];
	uint8_t *ders[2] = { crl_room_der(&one, &(struct crl_room_list){ 0 }, &lens[0]),
			     crl_room_der(&two, &(struct crl_room_list){ 0 }, &lens[1]) };
	uint8_t *joined = malloc(lens[0] + lens[1]);
	struct err e;

	assert_true(asprintf(&both, "# first\n%s\n# second\n%s", a, b) > 0);
	assert_ok(crl_set_read(both, strlen(both), &set, &e), e);
	assert_int_equal(set.count, 2);
	assert_string_equal(crl_issuer(set.lists[1]), "CN=two");
	crl_set_done(&set);
	memcpy(joined, ders[0], lens[0]);
	memcpy(joined + lens[0], ders[1], lens[1]);
	assert_ok(crl_set_read(joined, lens[0] + lens[1], &set, &e), e);
	assert_int_equal(set.count, 2);
	crl_set_done(&set);
	for (size_t cut = 0; cut < lens[0] + lens[1]; cut++) {
		if (cut == lens[0])
			continue;
		assert_int_equal(crl_set_read(joined, cut, &set, &e), -ERR_INVALID);
		assert_int_equal(set.count, 0);
	}
	free(joined);
	OPENSSL_free(ders[0]);
	OPENSSL_free(ders[1]);
}

static void what_is_no_file_of_lists_is_refused(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 };
	CLEANUP(free) char *good = pem_of(&ca, &(struct crl_room_list){ 0 });
	CLEANUP(free) char *cut = strndup(good, strlen(good) / 2), *many = NULL;
	const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "no revocation list" },
		{ "hello\n", "no revocation list" },
		{ cut, "not PEM" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		  "no 'X509 CRL'" },
		{ "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "list" },
		{ "-----BEGIN X509 CRL-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,1\n\nAAAA\n"
		  "-----END X509 CRL-----\n",
		  "no 'X509 CRL'" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(crl_set_read(rows[i].text, strlen(rows[i].text), &set, &e), e,
			       ERR_INVALID, rows[i].words);
	many = calloc(CRL_FILE_LISTS_MAX + 1, strlen(good) + 1);
	for (int count = 1; count <= CRL_FILE_LISTS_MAX + 1; count++) {
		strcat(many, good);
		if (count <= CRL_FILE_LISTS_MAX)
			assert_ok(crl_set_read(many, strlen(many), &set, &e), e);
		else
			assert_refused(crl_set_read(many, strlen(many), &set, &e), e, ERR_INVALID,
				       "more than 32 lists");
		crl_set_done(&set);
	}
	assert_refused(crl_set_read(many, CRL_FILE_MAX + (size_t)1, &set, &e), e, ERR_INVALID,
		       "bytes of lists");
}

static void who_signed_is_found(void **state)
{
	struct crl_room_ca one CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_room_ca twin CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_room_ca far CLEANUP_CA = crl_room_ca("far", SIGNS);
	STACK_OF(X509) *both CLEANUP_CERTS = certs_of(one.cert, twin.cert, NULL);
	STACK_OF(X509) *first CLEANUP_CERTS = certs_of(one.cert, NULL, NULL);
	STACK_OF(X509) *others CLEANUP_CERTS = certs_of(far.cert, NULL, NULL);
	struct crl_set set CLEANUP_CRL_SET = {
		.lists = { crl_room_read(&twin, &(struct crl_room_list){ 0 }),
			   crl_room_read(&far, &(struct crl_room_list){ 0 }) },
		.count = 2,
	};
	struct err e;

	assert_refused(crl_set_verify(&set, first, NULL, CRL_ROOM_NOW, &e), e, ERR_DENIED,
		       "did not sign it");
	assert_ok(crl_set_verify(&set, both, NULL, CRL_ROOM_NOW, &e), e);
	assert_ptr_equal(crl_signer(set.lists[0]), twin.cert);
	assert_null(crl_signer(set.lists[1]));
	assert_ok(crl_set_verify(&set, both, others, CRL_ROOM_NOW, &e), e);
	assert_ptr_equal(crl_signer(set.lists[1]), far.cert);
	assert_refused(crl_set_verify(&set, both, others, CRL_ROOM_NOW - 3601, &e), e, ERR_INVALID,
		       "from the future");
	set.lists[set.count++] = crl_room_read(&twin, &(struct crl_room_list){ .number = 8 });
	assert_refused(crl_set_verify(&set, both, others, CRL_ROOM_NOW, &e), e, ERR_INVALID,
		       "two lists of CN=one");
}

static void newer_ones_take_their_places(void **state)
{
	struct crl_room_ca one CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_room_ca two CLEANUP_CA = crl_room_ca("two", SIGNS);
	struct crl_set set CLEANUP_CRL_SET = set_of(&one, &(struct crl_room_list){ .number = 5 });
	struct crl_set fresh CLEANUP_CRL_SET = { .count = 0 };
	size_t older;
	struct err e;

	/* Another's: the first stays. */
	fresh = set_of(&two, &(struct crl_room_list){ 0 });
	assert_ok(crl_set_renew(&set, &fresh, CRL_ROOM_NOW, &older, &e), e);
	assert_int_equal(set.count, 2);
	assert_int_equal(fresh.count, 0);
	/* An older one, and one that is newer. */
	fresh = set_of(&one, &(struct crl_room_list){ .number = 4 });
	assert_ok(crl_set_renew(&set, &fresh, CRL_ROOM_NOW, &older, &e), e);
	assert_int_equal(older, 1);
	fresh = set_of(&one, &(struct crl_room_list){ .number = 6, .until = CRL_ROOM_NOW + 1 });
	assert_ok(crl_set_renew(&set, &fresh, CRL_ROOM_NOW, &older, &e), e);
	assert_int_equal(older, 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(crl_next_update(crl_set_find(&set, one.cert)), CRL_ROOM_NOW + 1);
	/* That has ended, and the file has it no more; one that nobody signed goes with it. */
	set.lists[set.count++] = crl_room_read(&one, &(struct crl_room_list){ .number = 9 });
	fresh = set_of(&two, &(struct crl_room_list){ .number = 8 });
	assert_ok(crl_set_renew(&set, &fresh, CRL_ROOM_NOW + 2, &older, &e), e);
	assert_int_equal(set.count, 1);
	assert_null(crl_set_find(&set, one.cert));
	/* One that has ended is no reason to take an older one. */
	fresh = set_of(&two, &(struct crl_room_list){ .number = 7, .until = CRL_ROOM_NOW + 9000 });
	assert_ok(crl_set_renew(&set, &fresh, CRL_ROOM_NOW + 7200, &older, &e), e);
	assert_int_equal(older, 1);
	assert_int_equal(crl_next_update(set.lists[0]), CRL_ROOM_NOW + 3600);
}

static void there_is_room_for_so_many(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 };
	struct crl_set fresh CLEANUP_CRL_SET = { .count = 0 };
	size_t older;
	struct err e;

	for (int i = 0; i < CRL_SET_MAX; i++) {
		struct crl_room_ca other CLEANUP_CA = crl_room_ca("other", SIGNS);
		struct crl_set one = set_of(&other, &(struct crl_room_list){ 0 });

		assert_ok(crl_set_put(&set, one.lists[0], &e), e);
	}
	assert_int_equal(set.count, CRL_SET_MAX);
	fresh = set_of(&ca, &(struct crl_room_list){ 0 });
	assert_refused(crl_set_renew(&set, &fresh, CRL_ROOM_NOW, &older, &e), e, ERR_EXHAUSTED,
		       "more than 64");
	assert_int_equal(fresh.count, 1);
	assert_int_equal(set.count, CRL_SET_MAX);
	fresh.count = 0;
	assert_refused(crl_set_put(&set, fresh.lists[0], &e), e, ERR_EXHAUSTED, "more than 64");
}

static void the_same_list_is_nothing_new(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 };
	size_t len;
	uint8_t *der = crl_room_der(&ca, &(struct crl_room_list){ 0 }, &len);
	struct err e;

	for (int i = 0; i < 2; i++) {
		struct crl *list = NULL;

		assert_ok(crl_read(der, len, &list, &e), e);
		assert_ok(crl_verify(list, ca.cert, &e), e);
		assert_int_equal(crl_set_put(&set, list, &e), i ? CRL_PUT_SAME : CRL_PUT_NEW);
	}
	assert_int_equal(set.count, 1);
	OPENSSL_free(der);
}

static void a_chain_is_as_good_as_each_of_it(void **state)
{
	struct crl_room_ca top CLEANUP_CA = crl_room_ca("top", SIGNS);
	struct crl_room_ca below CLEANUP_CA = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
									 "P-256") };
	CLEANUP(X509_free) X509 *leaf = NULL;
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 };
	static const long none[] = { 0 }, two[] = { 2, 0 }, nine[] = { 9, 0 };
	struct crl_judged j;

	below.cert = crl_room_cert("below", 2, below.key, SIGNS, &top);
	leaf = crl_room_cert("leaf", 9, top.key, NULL, &below);
	STACK_OF(X509) *chain CLEANUP_CERTS = certs_of(leaf, below.cert, top.cert);

	assert_int_equal(crl_set_judge(&set, chain, CRL_ROOM_NOW, false).outcome, CRL_GOOD);
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW, true);
	assert_int_equal(j.outcome, CRL_UNKNOWN);
	assert_string_equal(j.why, "there is no list of CN=below");
	assert_string_equal(j.subject, "CN=leaf");
	assert_string_equal(j.serial, "09");
	/* Its signer is found by the chain alone. */
	set.lists[set.count++] = crl_room_read(&below, &(struct crl_room_list){ .serials = none });
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW, true);
	assert_int_equal(j.outcome, CRL_UNKNOWN);
	assert_string_equal(j.why, "there is no list of CN=top");
	assert_ptr_equal(crl_signer(set.lists[0]), below.cert);
	set.lists[set.count++] = crl_room_read(&top, &(struct crl_room_list){ .serials = none });
	assert_int_equal(crl_set_judge(&set, chain, CRL_ROOM_NOW, true).outcome, CRL_GOOD);
	assert_int_equal(crl_set_judge(&set, chain, CRL_ROOM_NOW + 3600, true).outcome, CRL_GOOD);
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW + 3601, false);
	assert_int_equal(j.outcome, CRL_UNKNOWN);
	assert_non_null(strstr(j.why, "has ended"));
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW - 3601, true);
	assert_non_null(strstr(j.why, "from the future"));
	/* Revoked counts more than unknown, whichever comes first in the chain. */
	crl_free(set.lists[1]);
	set.lists[1] = crl_room_read(&top, &(struct crl_room_list){ .serials = two });
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW + 3601, true);
	assert_int_equal(j.outcome, CRL_REVOKED);
	assert_string_equal(j.subject, "CN=below");
	crl_free(set.lists[0]);
	set.lists[0] = crl_room_read(&below, &(struct crl_room_list){ .serials = nine });
	j = crl_set_judge(&set, chain, CRL_ROOM_NOW, true);
	assert_string_equal(j.subject, "CN=leaf");
	assert_string_equal(j.issuer, "CN=below");
}

/* Of two that nobody knew the signer of, the newer one counts. */
static void the_newest_counts(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	CLEANUP(X509_free) X509 *leaf = crl_room_cert("leaf", 5, ca.key, NULL, &ca);
	STACK_OF(X509) *chain CLEANUP_CERTS = certs_of(leaf, ca.cert, NULL);
	static const long none[] = { 0 };

	for (int first = 0; first < 2; first++) {
		struct crl_set set CLEANUP_CRL_SET = { .count = 2 };

		set.lists[first] =
			crl_room_read(&ca, &(struct crl_room_list){ .number = 3, .serials = none });
		set.lists[!first] = crl_room_read(&ca, &(struct crl_room_list){ .number = 4 });
		assert_int_equal(crl_set_judge(&set, chain, CRL_ROOM_NOW, true).outcome,
				 CRL_REVOKED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_pem_or_der),
		cmocka_unit_test(what_is_no_file_of_lists_is_refused),
		cmocka_unit_test(who_signed_is_found),
		cmocka_unit_test(newer_ones_take_their_places),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(the_same_list_is_nothing_new),
		cmocka_unit_test(a_chain_is_as_good_as_each_of_it),
		cmocka_unit_test(the_newest_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
