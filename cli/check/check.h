/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h — one layer of evidence by itself: what `attestation check KIND` does for each KIND.
 *
 * A layer that holds says nothing about the whole: the answers are 'holds' and 'refused', never
 * 'verified'.
 */
#pragma once

#include "attestation/verdict/verdict.h"
#include "cli/base/command.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/key.h"

/* Files larger than any frame are read, so that a frame is refused as too large. */
enum { CHECK_OPERANDS_MAX = 16, CHECK_FILE_MAX = 32 << 20 };

/* The files of one call, read. */
struct check_input {
	const struct cli *cli;
	struct span files[CHECK_OPERANDS_MAX];
	size_t count;
	int64_t at;
	uint32_t skew;
};

/* Adds the layer's checks to `v` (and requires what it takes). Negative only for a call or an input
 * that makes no sense. What may be of interest goes to `show` as members of a JSON object, without
 * its braces. */
struct writer;
struct check_kind {
	const char *name, *help;
	/* The options with a value that it looks at, beside --at and --skew; any other would look
	 * as if it had been checked, and is refused. */
	const char *const *takes;
	size_t files_min, files_max;
	int (*run)(const struct check_input *in, struct verdict *v, struct writer *show,
		   struct err *e);
};

/* check_tpm.c */
extern const struct check_kind check_quote, check_hcl, check_ak_cert;
/* check_log.c */
extern const struct check_kind check_log;
/* check_token.c */
extern const struct check_kind check_cose, check_token, check_corim;
/* check_channel.c */
extern const struct check_kind check_authenticator, check_request, check_frame;
/* check_idblock.c */
extern const struct check_kind check_idblock;

/* For the kinds: the file that an option names (empty if it was not given), malloc'ed; bytes from
 * hexadecimal; a public key from PEM, which has to be given. One that is not a key, or of a kind
 * that we don't take, is NULL, and `check` refuses it. */
int check_option_file(const struct check_input *in, const char *name, uint8_t **bytes, size_t *len,
		      struct err *e) MUST_CHECK;
int check_option_key(const struct check_input *in, const char *name, enum check_id id,
		     struct verdict *v, EVP_PKEY **key, struct err *e) MUST_CHECK;
int check_option_hex(const struct check_input *in, const char *name, uint8_t *bytes, size_t max,
		     size_t *len, struct err *e) MUST_CHECK;
