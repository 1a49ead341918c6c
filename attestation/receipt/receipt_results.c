/* SPDX-License-Identifier: Apache-2.0 */
/* receipt_results.c — the file that a receipt is of, read once for its size and both digests. */
#include "attestation/receipt/receipt.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static int read_all(int fd, struct digest_stream *sha256, struct digest_stream *sha3_256,
		    uint64_t *size, struct err *e)
{
	CLEANUP(free) uint8_t *piece = malloc(PIECE);
	uint64_t done = 0;

	if (!piece)
		return err_nomem(e);
	for (;;) {
		ssize_t n = pread(fd, piece, PIECE, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read the results");
		if (n == 0)
			break;
		digest_add(sha256, piece, (size_t)n);
		digest_add(sha3_256, piece, (size_t)n);
		done += (uint64_t)n;
	}
	*size = done;
	return 0;
}

int receipt_results_of(int fd, struct receipt_results *results, struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *sha256 = digest_new(DIGEST_SHA256, e);
	CLEANUP(digest_free)
	struct digest_stream *sha3_256 = sha256 ? digest_new(DIGEST_SHA3_256, e) : NULL;
	struct receipt_results made;

	if (!sha256 || !sha3_256)
		return err_code(e);
	if (read_all(fd, sha256, sha3_256, &made.size, e) < 0 ||
	    digest_finish(sha256, made.sha256, e) < 0 ||
	    digest_finish(sha3_256, made.sha3_256, e) < 0)
		return err_code(e);
	*results = made;
	return 0;
}
