/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation_file.h — one reading of a file of revocation lists, at once or in the pool. For revocation.c, and for who looks
 * before a program starts.
 */
#pragma once

#include "common/crypto/crl_set.h"

#include <sys/stat.h>
#include <uv.h>

/* Zeroed before. */
struct revocation_file {
	char *path;
	STACK_OF(X509) * authorities, *known; /* references of its own */
	/* What came of it: lists, with their signers, or why not. */
	struct stat seen; /* before it was read; zeros: there was none */
	struct crl_set set;
	struct err failed; /* code ERR_OK: it did not */
	void (*read)(struct revocation_file *file);
	void *data;
};

/* `known` (may be NULL): whose signers are looked for, too. revocation_file_done() it, also after a failure. */
int revocation_file_init(struct revocation_file *file, const char *path,
			 STACK_OF(X509) * authorities, const struct crl_set *known,
			 struct err *e) MUST_CHECK;
void revocation_file_done(struct revocation_file *file);

/* Blocks. */
void revocation_file_read(struct revocation_file *file);
/* The same in the pool; `read` is called on the loop, once. */
int revocation_file_start(uv_loop_t *loop, struct revocation_file *file,
			  void (*read)(struct revocation_file *file), struct err *e) MUST_CHECK;

/* Who writes into a file can set its time of modification back, but not that of its change. */
bool revocation_file_is_same(const struct stat *a, const struct stat *b);

/* Certificates of a PEM text. NULL is fine for the latter. */
int revocation_certs_read(const char *pem, STACK_OF(X509) * *certs, struct err *e) MUST_CHECK;
void revocation_certs_free(STACK_OF(X509) * certs);
