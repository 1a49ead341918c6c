/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket.h — a question that who asks it recognizes when it comes back, and does not keep: its ticket says when it was
 * made, and is like no other; its seal is an HMAC over the ticket, what it is for and whom it is for. Nothing is kept
 * of what nobody brings back, so whoever asks for many pushes out nobody else's.
 *
 * That it is good once is its maker's to see to. Whoever has a ticket reads the time in it.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TICKET_TIME_LEN = 8, /* of a ticket; the rest is random */
	TICKET_SEALED_MAX = 256,
};

/* `len` bytes, more than TICKET_TIME_LEN. `now_ms` of a clock that does not go back. */
int ticket_make(uint64_t now_ms, uint8_t *ticket, size_t len, struct err *e) MUST_CHECK;
uint64_t ticket_made_ms(const uint8_t *ticket);
/* Not older than `life_ms`, and not of later. Of a ticket without a seal that holds it means nothing. */
bool ticket_is_fresh(const uint8_t *ticket, uint64_t now_ms, uint64_t life_ms);

/* Under a secret of the maker's. `use`: a word of the maker's own, which says how long its tickets are. All of it has
 * to fit in TICKET_SEALED_MAX. Compare by bytes_equal(). */
int ticket_seal(struct span secret, const char *use, struct span ticket, const char *to,
		uint8_t seal[SHA256_LEN], struct err *e) MUST_CHECK;
