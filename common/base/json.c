/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/json.h"

#include "common/base/cleanup.h"
#include "common/base/utf8.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <yajl/yajl_parse.h>

/*
 * libyajl does not look at what it is given when it asks for memory. It never gets NULL therefore:
 * where there is none, the parser is left for good, with all that it had.
 */
struct block {
	LIST_ENTRY(block) link;
	max_align_t bytes[];
};

struct memory {
	LIST_HEAD(, block) blocks;
	jmp_buf none_left;
};

/* The root, followed by every text. A text takes less room than in the input: there it has
 * quotes around it or, if it is a number, something after it. */
struct tree {
	struct json root;
	size_t room;
	char texts[];
};

/*
 * Items of a container grow in one array, so a pointer to an unfinished child would move. The
 * builder therefore keeps the open containers on a stack of its own and moves each into its parent
 * when it closes.
 */
struct level {
	struct json value;
	char *key; /* the member name that waits for its value */
	size_t room;
};

enum { FEW = 32 }; /* keys that are compared each with each */

static const char twice[] = "the same key twice in one object";

struct builder {
	struct level levels[JSON_DEPTH_MAX + 1];
	size_t depth; /* open containers; level 0 collects the root */
	size_t nodes;
	char *texts;
	size_t texts_used, texts_room;
	yajl_handle yajl;
	struct memory memory; /* yajl's */
	const uint8_t *bytes;
	size_t len;
	struct err *e;
	bool failed, zeros;
};

static void value_done(struct json *v)
{
	for (size_t i = 0; i < v->count; i++)
		value_done(&v->items[i]);
	free(v->items);
}

void json_free(struct json *root)
{
	struct tree *tree;

	if (!root)
		return;
	tree = (struct tree *)(void *)((char *)root - offsetof(struct tree, root));
	value_done(root);
	explicit_bzero(tree->texts, tree->room);
	free(tree);
}

static int stop(struct builder *b, const char *why)
{
	if (!b->failed)
		err_set(b->e, ERR_INVALID, "json: byte %zu: %s", yajl_get_bytes_consumed(b->yajl),
			why);
	b->failed = true;
	return 0;
}

static int stop_nomem(struct builder *b)
{
	if (!b->failed)
		err_nomem(b->e);
	b->failed = true;
	return 0;
}

static int append(struct builder *b, struct level *to, struct json *value)
{
	if (to->value.count == to->room) {
		size_t room = to->room ? 2 * to->room : 4;
		struct json *items = reallocarray(to->value.items, room, sizeof(*items));

		if (!items) {
			value_done(value);
			return stop_nomem(b);
		}
		to->value.items = items;
		to->room = room;
	}
	value->key = TAKE_PTR(to->key);
	to->value.items[to->value.count++] = *value;
	return 1;
}

/* Where a scalar began: yajl tells only where it ended. Callers need exact places only for
 * containers, for which both ends are known. */
static int add(struct builder *b, struct json value)
{
	struct level *top = &b->levels[b->depth];

	if (++b->nodes > JSON_NODES_MAX)
		return stop(b, "too many values");
	value.end = yajl_get_bytes_consumed(b->yajl);
	return append(b, top, &value);
}

static int on_null(void *ctx)
{
	return add(ctx, (struct json){ .type = JSON_NULL });
}

static int on_boolean(void *ctx, int value)
{
	return add(ctx, (struct json){ .type = JSON_BOOL, .boolean = value != 0 });
}

/* Where a text of that length, and the zero after it, goes; NULL stops the parser. */
static char *text_place(struct builder *b, size_t len)
{
	char *place = b->texts + b->texts_used;

	if (len >= b->texts_room - b->texts_used) {
		stop(b, "a text that is longer than the input");
		return NULL;
	}
	b->texts_used += len + 1;
	place[len] = '\0';
	return place;
}

static int on_number(void *ctx, const char *text, size_t len)
{
	char *copy = text_place(ctx, len);

	if (!copy)
		return 0;
	memcpy(copy, text, len);
	return add(ctx, (struct json){ .type = JSON_NUMBER, .text = copy });
}

static char *checked_text(struct builder *b, const unsigned char *text, size_t len)
{
	char *copy = NULL;

	if (memchr(text, 0, len))
		stop(b, "a zero character in a string");
	else if (!utf8_valid(text, len))
		stop(b, "invalid UTF-8");
	else if ((copy = text_place(b, len)))
		memcpy(copy, text, len);
	return copy;
}

/* Zero characters become C0 80. */
static char *text_with_zeros(struct builder *b, const unsigned char *text, size_t len)
{
	size_t zeros = 0;
	char *copy, *out;

	if (!utf8_valid(text, len)) {
		stop(b, "invalid UTF-8");
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		zeros += text[i] == 0;
	out = copy = text_place(b, len + zeros);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == 0)
			*out++ = (char)0xC0;
		*out++ = text[i] ? (char)text[i] : (char)0x80;
	}
	return copy;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;
	char *copy = b->zeros ? text_with_zeros(b, text, len) : checked_text(b, text, len);

	return copy ? add(ctx, (struct json){ .type = JSON_STRING, .text = copy }) : 0;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;
	struct level *top = &b->levels[b->depth];
	char *copy = checked_text(b, text, len);

	if (!copy)
		return 0;
	/* At once where they are few, so that the place is named; the rest when the object ends. */
	for (size_t i = 0; i < top->value.count && i < FEW; i++)
		if (strcmp(top->value.items[i].key, copy) == 0)
			return stop(b, twice);
	top->key = copy;
	return 1;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of many keys each with each would take minutes for a file of a megabyte. */
static int check_many_keys(struct builder *b, const struct json *object)
{
	CLEANUP(free) const char **keys = reallocarray(NULL, object->count, sizeof(*keys));

	if (!keys)
		return stop_nomem(b);
	for (size_t i = 0; i < object->count; i++)
		keys[i] = object->items[i].key;
	qsort(keys, object->count, sizeof(*keys), by_key);
	for (size_t i = 1; i < object->count; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return stop(b, twice);
	return 1;
}

static int open_container(struct builder *b, enum json_type type)
{
	if (b->depth == JSON_DEPTH_MAX)
		return stop(b, "nested too deep");
	if (++b->nodes > JSON_NODES_MAX)
		return stop(b, "too many values");
	b->levels[++b->depth] = (struct level){
		.value = { .type = type, .start = yajl_get_bytes_consumed(b->yajl) - 1 },
	};
	return 1;
}

static int close_container(void *ctx)
{
	struct builder *b = ctx;
	struct level *top = &b->levels[b->depth];
	struct json value = top->value;

	value.end = yajl_get_bytes_consumed(b->yajl);
	*top = (struct level){ 0 };
	b->depth--;
	return append(b, &b->levels[b->depth], &value);
}

static int on_end_map(void *ctx)
{
	struct builder *b = ctx;
	const struct json *object = &b->levels[b->depth].value;

	if (object->count > FEW && !check_many_keys(b, object))
		return 0;
	return close_container(ctx);
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = close_container,
};

/*
 * yajl turns a lone surrogate escape into '?', and accepts a low one after any high one. Such text
 * must be refused before yajl sees it: otherwise what is used would not be what was signed or
 * measured.
 */
static unsigned escape_at(const uint8_t *b, const uint8_t *end)
{
	unsigned v = 0;

	if (end - b < 6 || b[0] != '\\' || b[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++) {
		unsigned c = b[i] | 0x20u;
		unsigned digit = c >= 'a' && c <= 'f' ? c - 'a' + 10 : (unsigned)b[i] - '0';

		if (digit > 15)
			return 0;
		v = v << 4 | digit;
	}
	return v;
}

static int refuse_lone_surrogates(const uint8_t *bytes, size_t len, struct err *e)
{
	const uint8_t *end = bytes + len;

	for (const uint8_t *b = bytes; b < end && (b = memchr(b, '\\', (size_t)(end - b))); b++) {
		unsigned v = escape_at(b, end);
		if (v >= 0xD800 && v < 0xDC00) {
			unsigned low = escape_at(b + 6, end);

			if (low < 0xDC00 || low > 0xDFFF)
				return err_set(e, ERR_INVALID, "json: byte %zu: lone surrogate",
					       (size_t)(b - bytes));
			b += 11;
		} else if (v >= 0xDC00 && v < 0xE000) {
			return err_set(e, ERR_INVALID, "json: byte %zu: lone surrogate",
				       (size_t)(b - bytes));
		} else {
			b++; /* an escaped backslash does not begin an escape itself */
		}
	}
	return 0;
}

static void link_parents(struct json *v)
{
	for (size_t i = 0; i < v->count; i++) {
		v->items[i].parent = v;
		link_parents(&v->items[i]);
	}
}

static int run(struct builder *b)
{
	yajl_status status = yajl_parse(b->yajl, b->bytes, b->len);

	if (status == yajl_status_ok)
		status = yajl_complete_parse(b->yajl);
	if (status == yajl_status_ok && b->levels[0].value.count == 1)
		return 0;
	if (!b->failed)
		err_set(b->e, ERR_INVALID, "json: byte %zu: malformed, or cut short",
			yajl_get_bytes_consumed(b->yajl));
	return err_code(b->e);
}

static struct block *block_of(void *bytes)
{
	return (struct block *)(void *)((char *)bytes - offsetof(struct block, bytes));
}

static void *memory_resize(void *data, void *bytes, size_t len)
{
	struct memory *m = data;
	struct block *old = bytes ? block_of(bytes) : NULL;

	if (old)
		LIST_REMOVE(old, link);
	struct block *block =
		len > SIZE_MAX - sizeof(*block) ? NULL : realloc(old, sizeof(*block) + len);
	if (!block && old)
		LIST_INSERT_HEAD(&m->blocks, old, link);
	if (!block)
		longjmp(m->none_left, 1);
	LIST_INSERT_HEAD(&m->blocks, block, link);
	return block->bytes;
}

static void *memory_take(void *data, size_t len)
{
	return memory_resize(data, NULL, len);
}

static void memory_give(void *data, void *bytes)
{
	if (!bytes)
		return;
	LIST_REMOVE(block_of(bytes), link);
	free(block_of(bytes));
}

static void memory_done(struct memory *m)
{
	struct block *block;

	while ((block = LIST_FIRST(&m->blocks))) {
		LIST_REMOVE(block, link);
		free(block);
	}
}

static int run_in_memory(struct builder *b)
{
	yajl_alloc_funcs memory = { .malloc = memory_take,
				    .realloc = memory_resize,
				    .free = memory_give,
				    .ctx = &b->memory };

	if (setjmp(b->memory.none_left))
		return err_nomem(b->e);
	b->yajl = yajl_alloc(&callbacks, &memory, b);
	return run(b);
}

static void discard(struct builder *b)
{
	for (size_t i = 0; i <= b->depth; i++)
		value_done(&b->levels[i].value);
}

/* libyajl skips them; but white space is blank, tab, line feed and carriage return (RFC 8259,
 * 2), and control characters in strings are escaped. */
static int refuse_feeds(const char *bytes, size_t len, struct err *e)
{
	const char *feed = memchr(bytes, '\f', len), *tab = memchr(bytes, '\v', len);

	if (feed || tab)
		return err_set(e, ERR_INVALID, "json: byte %zu: a control character",
			       (size_t)((feed && (!tab || feed < tab) ? feed : tab) - bytes));
	return 0;
}

static int parse(const void *bytes, size_t len, bool zeros, struct json **root, struct err *e)
{
	CLEANUP(free) struct builder *b = calloc(1, sizeof(*b));
	CLEANUP(free) struct tree *tree = NULL;

	if (len > SIZE_MAX - sizeof(*tree) - 1)
		return err_set(e, ERR_EXHAUSTED, "json: %zu bytes", len);
	tree = malloc(sizeof(*tree) + len + 1);
	if (!b || !tree)
		return err_nomem(e);
	if (len && (refuse_feeds(bytes, len, e) < 0 || refuse_lone_surrogates(bytes, len, e) < 0))
		return err_code(e);
	b->zeros = zeros;
	b->texts = tree->texts;
	b->texts_room = tree->room = len + 1;
	b->bytes = bytes;
	b->len = len;
	b->e = e;
	LIST_INIT(&b->memory.blocks);
	int failed = run_in_memory(b);
	memory_done(&b->memory);
	if (failed) {
		discard(b);
		return failed;
	}
	tree->root = b->levels[0].value.items[0];
	free(b->levels[0].value.items);
	link_parents(&tree->root);
	*root = &TAKE_PTR(tree)->root;
	return 0;
}

int json_parse(const void *bytes, size_t len, struct json **root, struct err *e)
{
	return parse(bytes, len, false, root, e);
}

int json_parse_zeros(const void *bytes, size_t len, struct json **root, struct err *e)
{
	return parse(bytes, len, true, root, e);
}
