/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/ticket.h"

#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

int ticket_make(uint64_t now_ms, uint8_t *ticket, size_t len, struct err *e)
{
	assert(len > TICKET_TIME_LEN);
	if (random_bytes(ticket + TICKET_TIME_LEN, len - TICKET_TIME_LEN, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < TICKET_TIME_LEN; i++)
		ticket[i] = (uint8_t)(now_ms >> (56 - 8 * i));
	return 0;
}

uint64_t ticket_made_ms(const uint8_t *ticket)
{
	struct reader r = reader_over(ticket, TICKET_TIME_LEN);

	return reader_be64(&r);
}

bool ticket_is_fresh(const uint8_t *ticket, uint64_t now_ms, uint64_t life_ms)
{
	const uint64_t made_ms = ticket_made_ms(ticket);

	return made_ms <= now_ms && now_ms - made_ms <= life_ms;
}

int ticket_seal(struct span secret, const char *use, struct span ticket, const char *to,
		uint8_t seal[SHA256_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TICKET_SEALED_MAX);

	writer_bytes(&w, use, strlen(use) + 1);
	writer_bytes(&w, ticket.bytes, ticket.len);
	writer_text(&w, to);
	if (writer_check(&w, "a ticket's seal", e) < 0)
		return err_code(e);
	return hmac(DIGEST_SHA256, secret.bytes, secret.len, w.bytes, w.len, seal, e);
}
