/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/digest.h"

#include "common/crypto/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
	size_t len;
} kinds[] = {
	[DIGEST_SHA1] = { "SHA-1", EVP_sha1, 20 },
	[DIGEST_SHA256] = { "SHA-256", EVP_sha256, 32 },
	[DIGEST_SHA384] = { "SHA-384", EVP_sha384, 48 },
	[DIGEST_SHA512] = { "SHA-512", EVP_sha512, 64 },
	[DIGEST_SHA3_256] = { "SHA3-256", EVP_sha3_256, 32 },
	[DIGEST_SHA3_384] = { "SHA3-384", EVP_sha3_384, 48 },
	[DIGEST_SHA3_512] = { "SHA3-512", EVP_sha3_512, 64 },
};

struct digest_stream {
	EVP_MD_CTX *ctx;
	bool failed;
};

size_t digest_len(enum digest_kind kind)
{
	return kinds[kind].len;
}

const char *digest_name(enum digest_kind kind)
{
	return kinds[kind].name;
}

struct digest_stream *digest_new(enum digest_kind kind, struct err *e)
{
	struct digest_stream *d = calloc(1, sizeof(*d));

	if (!d) {
		err_nomem(e);
		return NULL;
	}
	if (!(d->ctx = EVP_MD_CTX_new()) ||
	    EVP_DigestInit_ex(d->ctx, kinds[kind].md(), NULL) != 1) {
		digest_free(d);
		err_openssl(e, ERR_INTERNAL, "start %s", kinds[kind].name);
		return NULL;
	}
	return d;
}

void digest_add(struct digest_stream *d, const void *bytes, size_t len)
{
	if (len && EVP_DigestUpdate(d->ctx, bytes, len) != 1)
		d->failed = true;
}

int digest_finish(struct digest_stream *d, uint8_t *out, struct err *e)
{
	if (d->failed || EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "digest");
	d->failed = true; /* a second finish would hash nothing */
	return 0;
}

void digest_restart(struct digest_stream *d)
{
	d->failed = EVP_DigestInit_ex(d->ctx, NULL, NULL) != 1;
}

void digest_free(struct digest_stream *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

int digest(enum digest_kind kind, const void *bytes, size_t len, uint8_t *out, struct err *e)
{
	const struct digest_part part = { bytes, len };

	return digest_parts(kind, &part, 1, out, e);
}

int digest_parts(enum digest_kind kind, const struct digest_part *parts, size_t count, uint8_t *out,
		 struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *d = digest_new(kind, e);

	if (!d)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		digest_add(d, parts[i].bytes, parts[i].len);
	return digest_finish(d, out, e);
}

int digest_file(enum digest_kind kind, const char *path, uint8_t *out, struct err *e)
{
	enum { PIECE = 1 << 17 };
	CLEANUP(digest_free) struct digest_stream *d = digest_new(kind, e);
	CLEANUP(free) uint8_t *piece = malloc(PIECE);
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (!d)
		return err_code(e);
	if (!piece)
		return err_nomem(e);
	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	while ((n = read(fd, piece, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read '%s'", path);
		digest_add(d, piece, (size_t)n);
	}
	return digest_finish(d, out, e);
}

int hmac(enum digest_kind kind, const void *key, size_t key_len, const void *bytes, size_t len,
	 uint8_t *out, struct err *e)
{
	unsigned made = 0;

	if (key_len > INT32_MAX || !HMAC(kinds[kind].md(), key ? key : "", (int)key_len,
					 len ? bytes : (const void *)"", len, out, &made))
		return err_openssl(e, ERR_INTERNAL, "HMAC");
	return 0;
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

int random_bytes(void *out, size_t len, struct err *e)
{
	if (len > INT32_MAX || RAND_bytes(out, (int)len) != 1)
		return err_openssl(e, ERR_INTERNAL, "random bytes");
	return 0;
}
