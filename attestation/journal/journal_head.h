/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_head.h — where a computation's journal stands (docs/journal.md): how many entries, and the
 * digest that each of them went into; and the COSE_Sign1 messages that its key signs.
 *
 * The key is P-256 (ES256), made by the keeper for one computation and named in its run statement. It
 * signs a journal's heads and receipts, each under external data of its own, and nothing else.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <stdbool.h>
#include <stdint.h>

/* External data of RFC 9052, section 4.3: one signature is never taken for another. */
#define JOURNAL_HEAD_AAD    "cocos-journal-v1"
#define JOURNAL_RECEIPT_AAD "cocos-receipt-v1"
/* Media types, in the protected header. */
#define JOURNAL_HEAD_TYPE    "application/cocos-journal-head+cbor"
#define JOURNAL_RECEIPT_TYPE "application/cocos-receipt+cbor"

enum {
	JOURNAL_BATCH_MAX = 1024,     /* entries under one signature */
	JOURNAL_SIGNED_MAX = 512,     /* bytes of a signed head */
	JOURNAL_RECEIPT_MAX = 131072, /* bytes of what a receipt says */
};
#define JOURNAL_ENTRIES_MAX (UINT64_C(1) << 32) /* of one computation */

/* Before the first entry: 0 and zeros. */
struct journal_head {
	uint64_t count;
	uint8_t digest[SHA256_LEN];
};

/* The head behind one more entry, whose bytes have this SHA-256. ERR_EXHAUSTED: there are
 * JOURNAL_ENTRIES_MAX. */
int journal_head_add(struct journal_head *head, const uint8_t entry[SHA256_LEN],
		     struct err *e) MUST_CHECK;

struct writer;

/* COSE_Sign1 over [final, count, digest]; `final` says that nothing follows. */
int journal_head_sign(const struct journal_head *head, bool final, EVP_PKEY *key,
		      struct writer *out, struct err *e) MUST_CHECK;

/* Only the one form that journal_head_sign() makes, of this key; else ERR_DENIED for a wrong signature
 * and ERR_INVALID for a wrong form. */
int journal_head_verify(struct span message, EVP_PKEY *key, struct journal_head *head, bool *final,
			struct err *e) MUST_CHECK;

/* What one says, of that form, whoever signed it: for those who vouch for nothing but having seen it. */
int journal_head_read(struct span message, struct journal_head *head, bool *final,
		      struct err *e) MUST_CHECK;
