/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/process_metrics.h"
#include "tests/unit/folder.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static unsigned parsed; /* certificates, so far */

X509 *__real_PEM_read_bio_X509(BIO *bio, X509 **x, pem_password_cb *cb, void *u);
X509 *__wrap_PEM_read_bio_X509(BIO *bio, X509 **x, pem_password_cb *cb, void *u);

X509 *__wrap_PEM_read_bio_X509(BIO *bio, X509 **x, pem_password_cb *cb, void *u)
{
	parsed++;
	return __real_PEM_read_bio_X509(bio, x, cb, u);
}

/* A certificate that ends at `end`, in the place of what `path` has. */
static void put_certificate(const char *path, time_t end)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	char fresh[128];
	FILE *file;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	assert_non_null(key);
	assert_true(ASN1_TIME_set(X509_getm_notBefore(cert), 0) &&
		    ASN1_TIME_set(X509_getm_notAfter(cert), end) && X509_set_pubkey(cert, key) &&
		    X509_sign(cert, key, EVP_sha256()));
	file = fopen(fresh, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, path), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* The line of this certificate is `wanted`; NULL: there is none. */
static void expect(struct certificate_metric *c, const char *wanted)
{
	struct metrics_text t = metrics_text_new(METRICS_PROMETHEUS);
	CLEANUP(free) uint8_t *text = NULL;
	struct err e;
	size_t len;

	certificate_metrics_write(c, 1, &t);
	text = metrics_text_take(&t, &len, &e);
	assert_non_null(text);
	if (wanted)
		assert_non_null(strstr((char *)text, wanted));
	else
		assert_null(strstr((char *)text, "seconds{"));
}

static void a_file_is_read_when_it_is_another(void **state)
{
	char path[64];
	struct certificate_metric c = { .setting = "X_CERT", .path = path };

	snprintf(path, sizeof(path), "%s/cert.pem", test_folder);
	expect(&c, NULL);
	put_certificate(path, 1000000000);
	for (int i = 0; i < 100; i++)
		expect(&c, "{setting=\"X_CERT\"} 1000000000\n");
	assert_int_equal(parsed, 1);
	put_certificate(path, 1111111111);
	for (int i = 0; i < 100; i++)
		expect(&c, "{setting=\"X_CERT\"} 1111111111\n");
	assert_int_equal(parsed, 2);
	assert_int_equal(truncate(path, 10), 0);
	for (int i = 0; i < 100; i++)
		expect(&c, NULL);
	assert_int_equal(parsed, 3);
	assert_int_equal(unlink(path), 0);
	expect(&c, NULL);
	put_certificate(path, 1234567890);
	expect(&c, "{setting=\"X_CERT\"} 1234567890\n");
	assert_int_equal(parsed, 4);
}

static void no_file_is_no_line(void **state)
{
	expect(&(struct certificate_metric){ .setting = "X_CERT" }, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_when_it_is_another),
		cmocka_unit_test(no_file_is_no_line),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
