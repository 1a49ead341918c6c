/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/assembly.h"

#include "common/base/log.h"
#include "common/manifest/manifest.h"

#include <string.h>

/* The length was checked. */
static void copy_id(char *to, const char *id)
{
	memcpy(to, id, strlen(id) + 1);
}

void assembly_init(struct assembly *a)
{
	*a = (struct assembly){ .bytes = writer_up_to(MANIFEST_MAX) };
}

void assembly_reset(struct assembly *a)
{
	writer_done(&a->bytes);
	assembly_init(a);
}

void assembly_forgive(struct assembly *a)
{
	a->any_done = false;
}

static void close_current(struct assembly *a)
{
	writer_done(&a->bytes);
	a->bytes = writer_up_to(MANIFEST_MAX);
	a->open = false;
}

static bool is_spoiled(const struct assembly *a, const char *id, size_t *at)
{
	for (size_t i = 0; i < a->spoiled_count; i++) {
		if (strcmp(a->spoiled[i], id) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

static void forget_spoiled(struct assembly *a, size_t at)
{
	a->spoiled_count--;
	memmove(a->spoiled[at], a->spoiled[at + 1],
		(a->spoiled_count - at) * sizeof(a->spoiled[0]));
}

static void spoil(struct assembly *a, const char *id)
{
	size_t at;

	if (strlen(id) > ASSEMBLY_ID_MAX || is_spoiled(a, id, &at))
		return;
	if (a->spoiled_count == ASSEMBLY_SPOILED_MAX)
		forget_spoiled(a, 0);
	copy_id(a->spoiled[a->spoiled_count++], id);
}

static int check(struct assembly *a, const Cvms__RunReqChunks *chunk, struct err *e)
{
	if (strlen(chunk->id) > ASSEMBLY_ID_MAX)
		return err_set(e, ERR_INVALID, "manifest chunk: an id over %d bytes",
			       ASSEMBLY_ID_MAX);
	if (a->open && strcmp(a->id, chunk->id) != 0)
		return err_set(e, ERR_INVALID,
			       "manifest chunk: %s while another manifest is incomplete; send one "
			       "after the other",
			       log_quote(chunk->id).text);
	if (!a->open && a->any_done && strcmp(a->done, chunk->id) == 0)
		return err_set(e, ERR_INVALID, "manifest chunk: %s had its last chunk already",
			       log_quote(chunk->id).text);
	if (chunk->is_last && chunk->data.len + a->bytes.len == 0)
		return err_set(e, ERR_INVALID,
			       "manifest chunk: %s has a last chunk and no byte before it",
			       log_quote(chunk->id).text);
	if (chunk->data.len > ASSEMBLY_CHUNK_MAX)
		return err_set(e, ERR_INVALID, "manifest chunk: %zu bytes, the limit is %d",
			       chunk->data.len, ASSEMBLY_CHUNK_MAX);
	if (chunk->data.len > MANIFEST_MAX - a->bytes.len)
		return err_set(e, ERR_INVALID, "manifest chunk: more than %d bytes in all",
			       MANIFEST_MAX);
	return 0;
}

static int refuse(struct assembly *a, const Cvms__RunReqChunks *chunk, const struct err *e)
{
	if (a->open && (!chunk->is_last || strcmp(a->id, chunk->id) != 0))
		spoil(a, a->id);
	if (!chunk->is_last)
		spoil(a, chunk->id);
	close_current(a);
	return err_code(e);
}

int assembly_add(struct assembly *a, const Cvms__RunReqChunks *chunk, bool *complete,
		 uint8_t **bytes, size_t *len, struct err *e)
{
	size_t at;

	*complete = false;
	if (is_spoiled(a, chunk->id, &at)) {
		if (chunk->is_last)
			forget_spoiled(a, at);
		return 0;
	}
	if (check(a, chunk, e) < 0)
		return refuse(a, chunk, e);
	if (!a->open)
		copy_id(a->id, chunk->id);
	a->open = true;
	writer_bytes(&a->bytes, chunk->data.data, chunk->data.len);
	if (writer_check(&a->bytes, "manifest", e) < 0)
		return refuse(a, chunk, e);
	if (!chunk->is_last)
		return 0;
	copy_id(a->done, a->id);
	a->any_done = true;
	*bytes = writer_take(&a->bytes, len);
	close_current(a);
	*complete = true;
	return 0;
}
