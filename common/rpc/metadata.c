/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/metadata.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/rpc/metadata_wire.h"

#include <stdlib.h>
#include <string.h>

/* Names that are not the application's: they steer gRPC or HTTP itself. */
static const char *const reserved[] = { "te", "content-type", "user-agent", "host", "connection" };

static bool is_reserved(const char *key, size_t len)
{
	if (len == 0 || key[0] == ':' || (len >= 5 && memcmp(key, "grpc-", 5) == 0))
		return true;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strlen(reserved[i]) == len && memcmp(reserved[i], key, len) == 0)
			return true;
	return false;
}

static bool key_is_valid(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = key[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		      c == '.'))
			return false;
	}
	return len > 0 && len <= RPC_METADATA_KEY_MAX;
}

bool rpc_metadata_is_binary(const char *key, size_t len)
{
	return len > 4 && memcmp(key + len - 4, "-bin", 4) == 0;
}

static bool text_is_valid(const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return false;
	return true;
}

void rpc_metadata_done(struct rpc_metadata *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->entries[i].key);
		free(m->entries[i].value);
	}
	free(m->entries);
	*m = (struct rpc_metadata){ 0 };
}

/* `value` is malloc'ed and taken over in every case. */
static int add_taken(struct rpc_metadata *m, const char *key, size_t key_len, uint8_t *value,
		     size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *taken = value;
	CLEANUP(free) char *name = NULL;

	if (m->count >= RPC_METADATA_MAX || key_len + len > RPC_METADATA_BYTES_MAX - m->bytes)
		return err_set(e, ERR_EXHAUSTED,
			       "metadata: more than %d entries or %d bytes; send less",
			       RPC_METADATA_MAX, RPC_METADATA_BYTES_MAX);
	name = strndup(key, key_len);
	if (!name)
		return err_nomem(e);
	if (m->count == m->room) {
		size_t room = m->room ? 2 * m->room : 8;
		void *grown = realloc(m->entries, room * sizeof(*m->entries));

		if (!grown)
			return err_nomem(e);
		m->entries = grown;
		m->room = room;
	}
	m->bytes += key_len + len;
	m->entries[m->count++] = (struct rpc_metadatum){ TAKE_PTR(name), TAKE_PTR(taken), len };
	return 0;
}

static uint8_t *copy_terminated(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = 0;
	return copy;
}

int rpc_metadata_add_bytes(struct rpc_metadata *m, const char *key, const void *value, size_t len,
			   struct err *e)
{
	size_t key_len = strnlen(key, RPC_METADATA_KEY_MAX + 1);
	uint8_t *copy;

	if (!key_is_valid(key, key_len) || is_reserved(key, key_len))
		return err_set(e, ERR_INVALID, "metadata: %s can't be a key", log_quote(key).text);
	if (!rpc_metadata_is_binary(key, key_len) && !text_is_valid(value, len))
		return err_set(e, ERR_INVALID, "metadata: the value of '%s' is not printable ASCII",
			       key);
	copy = copy_terminated(value, len);
	return copy ? add_taken(m, key, key_len, copy, len, e) : err_nomem(e);
}

int rpc_metadata_add(struct rpc_metadata *m, const char *key, const char *text, struct err *e)
{
	return rpc_metadata_add_bytes(m, key, text, strlen(text), e);
}

int rpc_metadata_copy(struct rpc_metadata *to, const struct rpc_metadata *from, struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct rpc_metadatum *entry = &from->entries[i];
		int r = rpc_metadata_add_bytes(to, entry->key, entry->value, entry->len, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A -bin header may hold several values, parted by commas (gRPC over HTTP/2). */
static int add_encoded(struct rpc_metadata *m, const char *key, size_t key_len, const char *value,
		       size_t len, struct err *e)
{
	const char *end = value + len;

	for (;;) {
		const char *comma = memchr(value, ',', (size_t)(end - value));
		const char *stop = comma ? comma : end;
		uint8_t *bytes = NULL, *grown;
		size_t bytes_len = 0;
		int r;

		if (base64_decode_unpadded(value, (size_t)(stop - value), &bytes, &bytes_len, e) <
		    0)
			return err_set(e, ERR_INVALID, "metadata: %s is not base64",
				       log_quote_bytes(key, key_len).text);
		grown = realloc(bytes, bytes_len + 1);
		if (!grown) {
			free(bytes);
			return err_nomem(e);
		}
		grown[bytes_len] = 0;
		r = add_taken(m, key, key_len, grown, bytes_len, e);
		if (r < 0 || !comma)
			return r;
		value = comma + 1;
	}
}

int rpc_metadata_receive(struct rpc_metadata *m, const char *key, size_t key_len, const char *value,
			 size_t len, struct err *e)
{
	uint8_t *copy;

	/* HTTP allows more characters in names; what we can't offer is passed over, as others do. */
	if (is_reserved(key, key_len) || !key_is_valid(key, key_len))
		return 0;
	if (rpc_metadata_is_binary(key, key_len))
		return add_encoded(m, key, key_len, value, len, e);
	if (!text_is_valid((const uint8_t *)value, len))
		return err_set(e, ERR_INVALID, "metadata: the value of %s is not printable ASCII",
			       log_quote_bytes(key, key_len).text);
	copy = copy_terminated(value, len);
	return copy ? add_taken(m, key, key_len, copy, len, e) : err_nomem(e);
}

const struct rpc_metadatum *rpc_metadata_get(const struct rpc_metadata *m, const char *key,
					     size_t n)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->entries[i].key, key) == 0 && n-- == 0)
			return &m->entries[i];
	return NULL;
}

const char *rpc_metadata_text(const struct rpc_metadata *m, const char *key, size_t n)
{
	const struct rpc_metadatum *entry = rpc_metadata_get(m, key, n);

	return entry ? (const char *)entry->value : NULL;
}

size_t rpc_metadata_count(const struct rpc_metadata *m, const char *key)
{
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++)
		count += strcmp(m->entries[i].key, key) == 0;
	return count;
}
