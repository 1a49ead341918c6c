/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static bool is_in_area(const struct h2_memory *m, const void *pointer)
{
	/* As numbers: the pointer may be one of the heap's. */
	uintptr_t at = (uintptr_t)pointer, area = (uintptr_t)m->area;

	return m->area && at >= area && at - area < H2_MEMORY_AREA;
}

/* NULL: it is too small, or does not fit. The bytes are zero. No length stands before a piece: to write it would touch
 * the pages of tables that are not used yet. */
static void *take(struct h2_memory *m, size_t size)
{
	size_t left = m->area ? H2_MEMORY_AREA - m->used : 0;
	size_t padded = size + (alignof(max_align_t) - size % alignof(max_align_t));

	if (size < H2_MEMORY_PIECE || size > left || padded > left)
		return NULL;
	m->used += padded;
	return m->area + m->used - padded;
}

static void *on_malloc(size_t size, void *data)
{
	void *bytes = take(data, size);

	return bytes ? bytes : malloc(size);
}

static void *on_calloc(size_t count, size_t size, void *data)
{
	size_t all;
	void *bytes;

	if (__builtin_mul_overflow(count, size, &all))
		return NULL;
	bytes = take(data, all);
	return bytes ? bytes : calloc(count, size);
}

static void on_free(void *pointer, void *data)
{
	if (!is_in_area(data, pointer))
		free(pointer);
}

static void *on_realloc(void *pointer, size_t size, void *data)
{
	const struct h2_memory *m = data;
	size_t behind;
	void *bytes;

	if (!pointer)
		return on_malloc(size, data);
	if (!is_in_area(m, pointer))
		return realloc(pointer, size);
	/* How long it was is not known: the rest of the area has all of it. */
	behind = (size_t)(m->area + H2_MEMORY_AREA - (uint8_t *)pointer);
	bytes = malloc(size);
	if (bytes)
		memcpy(bytes, pointer, size < behind ? size : behind);
	return bytes;
}

void h2_memory_begin(struct h2_memory *m, nghttp2_mem *hooks)
{
	void *area = mmap(NULL, H2_MEMORY_AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	*m = (struct h2_memory){ .area = area == MAP_FAILED ? NULL : area,
				 .used = H2_MEMORY_BEGIN };
	*hooks = (nghttp2_mem){ m, on_malloc, on_free, on_calloc, on_realloc };
}

void h2_memory_made(struct h2_memory *m)
{
	m->used = H2_MEMORY_AREA;
}

void h2_memory_done(struct h2_memory *m)
{
	if (m->area)
		munmap(m->area, H2_MEMORY_AREA);
	*m = (struct h2_memory){ 0 };
}
