/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/blob.h"

#include "common/base/file.h"
#include "common/crypto/digest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zlib.h>

enum { IN_LEN = 65536, GZIP_WINDOW = 15 + 16 /* the gzip form alone, zlib.h */ };

/* How something is unpacked: made, fed, let go. `step` takes from in[at..filled), gives to `out`, and
 * sets `idle` when what it has taken so far could be the end. */
struct packing {
	int (*make)(struct blob *blob, struct err *e);
	int (*step)(struct blob *blob, uint8_t *out, size_t room, size_t *len, struct err *e);
	void (*drop)(struct blob *blob);
};

struct blob {
	int fd;
	uint64_t offset, left; /* not yet read from the file */
	uint64_t out, most;
	const struct packing *packing;
	struct digest_stream *packed, *plain;
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool made, idle;
	size_t at, filled;
	uint8_t in[IN_LEN];
};

static int fill(struct blob *blob, struct err *e)
{
	size_t want = blob->left < sizeof(blob->in) ? (size_t)blob->left : sizeof(blob->in);
	ssize_t n;

	do
		n = pread(blob->fd, blob->in, want, (off_t)blob->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "read the archive");
	if (n == 0 && want > 0)
		return err_set(e, ERR_INVALID, "the archive ends early");
	blob->offset += (uint64_t)n;
	blob->left -= (uint64_t)n;
	blob->at = 0;
	blob->filled = (size_t)n;
	if (blob->packed)
		digest_add(blob->packed, blob->in, blob->filled);
	return 0;
}

static int plain_make(struct blob *blob, struct err *e)
{
	blob->idle = true;
	return 0;
}

static int plain_step(struct blob *blob, uint8_t *out, size_t room, size_t *len, struct err *e)
{
	size_t n = blob->filled - blob->at < room ? blob->filled - blob->at : room;

	memcpy(out, blob->in + blob->at, n);
	blob->at += n;
	*len = n;
	return 0;
}

static void plain_drop(struct blob *blob)
{
}

static int gzip_make(struct blob *blob, struct err *e)
{
	return inflateInit2(&blob->gzip, GZIP_WINDOW) == Z_OK ? 0 : err_nomem(e);
}

static int gzip_step(struct blob *blob, uint8_t *out, size_t room, size_t *len, struct err *e)
{
	z_stream *z = &blob->gzip;

	/* members may follow each other (RFC 1952, 2.2) */
	if (blob->idle && inflateReset(z) != Z_OK)
		return err_set(e, ERR_INTERNAL, "gzip");
	z->next_in = blob->in + blob->at;
	z->avail_in = (uInt)(blob->filled - blob->at);
	z->next_out = out;
	z->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
	uInt before = z->avail_out;
	int r = inflate(z, Z_NO_FLUSH);
	if (r == Z_MEM_ERROR)
		return err_nomem(e);
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return err_set(e, ERR_INVALID, "is not gzip, or damaged");
	blob->at = blob->filled - z->avail_in;
	blob->idle = r == Z_STREAM_END;
	*len = before - z->avail_out;
	return 0;
}

static void gzip_drop(struct blob *blob)
{
	inflateEnd(&blob->gzip);
}

static int zstd_make(struct blob *blob, struct err *e)
{
	blob->zstd = ZSTD_createDStream();
	if (!blob->zstd)
		return err_nomem(e);
	if (ZSTD_isError(
		    ZSTD_DCtx_setParameter(blob->zstd, ZSTD_d_windowLogMax, BLOB_ZSTD_WINDOW_MAX)))
		return err_set(e, ERR_INTERNAL, "zstd");
	return 0;
}

static int zstd_step(struct blob *blob, uint8_t *out, size_t room, size_t *len, struct err *e)
{
	ZSTD_inBuffer in = { blob->in, blob->filled, blob->at };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t r = ZSTD_decompressStream(blob->zstd, &to, &in);

	if (ZSTD_isError(r))
		return err_set(e, ERR_INVALID, "is not zstd, or damaged (%s)",
			       ZSTD_getErrorName(r));
	blob->at = in.pos;
	blob->idle = r == 0;
	*len = to.pos;
	return 0;
}

static void zstd_drop(struct blob *blob)
{
	ZSTD_freeDStream(blob->zstd);
}

static const struct packing packings[] = {
	[BLOB_PLAIN] = { plain_make, plain_step, plain_drop },
	[BLOB_GZIP] = { gzip_make, gzip_step, gzip_drop },
	[BLOB_ZSTD] = { zstd_make, zstd_step, zstd_drop },
};

int blob_open(int fd, const struct blob_place *place, enum blob_packing packing, uint64_t most,
	      struct blob **out, struct err *e)
{
	CLEANUP(blob_free) struct blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return err_nomem(e);
	blob->fd = fd;
	blob->offset = place->offset;
	blob->left = place->size;
	blob->most = most;
	blob->packing = &packings[packing];
	if (blob->packing->make(blob, e) < 0)
		return err_code(e);
	blob->made = true;
	*out = TAKE_PTR(blob);
	return 0;
}

int blob_sum(struct blob *blob, struct err *e)
{
	blob->packed = digest_new(DIGEST_SHA256, e);
	if (blob->packed)
		blob->plain = digest_new(DIGEST_SHA256, e);
	return blob->plain ? 0 : err_code(e);
}

int blob_read(struct blob *blob, void *out, size_t room, size_t *len, struct err *e)
{
	size_t n = 0;

	while (n == 0) {
		bool empty = blob->at == blob->filled;

		if (empty && blob->left > 0 && fill(blob, e) < 0)
			return err_code(e);
		if (empty && blob->at == blob->filled && blob->idle)
			break; /* the end, where one may be */
		empty = blob->at == blob->filled;
		if (blob->packing->step(blob, out, room, &n, e) < 0)
			return err_code(e);
		if (n == 0 && empty && !blob->idle)
			return err_set(e, ERR_INVALID, "ends early");
	}
	if (n > blob->most - blob->out)
		return err_set(e, ERR_EXHAUSTED, "is larger than %llu bytes unpacked",
			       (unsigned long long)blob->most);
	blob->out += n;
	if (blob->plain)
		digest_add(blob->plain, out, n);
	*len = n;
	return 0;
}

int blob_skip(struct blob *blob, uint64_t count, struct err *e)
{
	uint64_t held = blob->filled - blob->at, n = count < held ? count : held;

	if (blob->packing != &packings[BLOB_PLAIN] || blob->packed)
		return err_set(e, ERR_INTERNAL, "skip what has to be read");
	blob->at += (size_t)n;
	if (count - n > blob->left)
		return err_set(e, ERR_INVALID, "the archive ends early");
	blob->offset += count - n;
	blob->left -= count - n;
	blob->out += count;
	return 0;
}

uint64_t blob_position(const struct blob *blob)
{
	return blob->out;
}

int blob_sums(struct blob *blob, uint8_t packed[BLOB_DIGEST_LEN], uint8_t plain[BLOB_DIGEST_LEN],
	      struct err *e)
{
	if (digest_finish(blob->packed, packed, e) < 0 || digest_finish(blob->plain, plain, e) < 0)
		return err_code(e);
	return 0;
}

void blob_free(struct blob *blob)
{
	if (!blob)
		return;
	if (blob->made || blob->zstd)
		blob->packing->drop(blob);
	digest_free(blob->packed);
	digest_free(blob->plain);
	free(blob);
}

int blob_packing_of(int fd, const struct blob_place *place, enum blob_packing *packing,
		    struct err *e)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	uint8_t head[4] = { 0 };
	size_t want = place->size < sizeof(head) ? (size_t)place->size : sizeof(head);

	int whole = fd_read_at(fd, head, want, place->offset, e);
	if (whole < 0)
		return err_wrap(e, "the archive");
	if (!whole)
		return err_set(e, ERR_INVALID, "the archive ends early");
	*packing = memcmp(head, gzip, sizeof(gzip)) == 0   ? BLOB_GZIP
		   : memcmp(head, zstd, sizeof(zstd)) == 0 ? BLOB_ZSTD
							   : BLOB_PLAIN;
	return 0;
}
