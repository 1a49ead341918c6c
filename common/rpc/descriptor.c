/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/descriptor.h"

#include "common/base/cleanup.h"
#include "common/rpc/wire.h"

#include <string.h>

/* Field numbers of descriptor.proto. */
enum {
	SET_FILE = 1,
	FILE_NAME = 1,
	FILE_PACKAGE = 2,
	NAME = 1, /* of everything that has one */
};

/* What may stand within what, and under which field. */
enum scope { SCOPE_FILE, SCOPE_MESSAGE, SCOPE_ENUM, SCOPE_SERVICE, SCOPE_LEAF };

static const struct part {
	enum scope in;
	uint32_t field;
	enum scope is;
} parts[] = {
	{ SCOPE_FILE, 4, SCOPE_MESSAGE }, { SCOPE_FILE, 5, SCOPE_ENUM },
	{ SCOPE_FILE, 6, SCOPE_SERVICE }, { SCOPE_FILE, 7, SCOPE_LEAF },
	{ SCOPE_MESSAGE, 2, SCOPE_LEAF }, { SCOPE_MESSAGE, 3, SCOPE_MESSAGE },
	{ SCOPE_MESSAGE, 4, SCOPE_ENUM }, { SCOPE_MESSAGE, 6, SCOPE_LEAF },
	{ SCOPE_MESSAGE, 8, SCOPE_LEAF }, { SCOPE_ENUM, 2, SCOPE_LEAF },
	{ SCOPE_SERVICE, 2, SCOPE_LEAF },
};

static const struct part *part_of(enum scope in, uint32_t field)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].in == in && parts[i].field == field)
			return &parts[i];
	return NULL;
}

static bool is_text(const struct rpc_wire_field *f, const char *text, size_t len)
{
	return f->type == RPC_WIRE_BYTES && f->len == len && memcmp(f->bytes, text, len) == 0;
}

/* The field `number` of a message; its last occurrence, as protobuf has it. */
static struct rpc_wire_field field_of(const uint8_t *bytes, size_t len, uint32_t number)
{
	struct reader r = reader_over(bytes, len);
	struct rpc_wire_field f, found = { 0 };

	while (rpc_wire_next(&r, &f))
		if (f.number == number && f.type == RPC_WIRE_BYTES)
			found = f;
	return found;
}

/* Does this thing hold something of that (relative, dotted) name? Goes down one level for each dot,
 * and by the nesting of our own .proto files. */
static bool holds(enum scope scope, const uint8_t *bytes, size_t len, const char *name)
{
	size_t first = strcspn(name, ".");
	struct reader r = reader_over(bytes, len);
	struct rpc_wire_field f;

	while (rpc_wire_next(&r, &f)) {
		const struct part *part = part_of(scope, f.number);
		struct rpc_wire_field own;

		if (!part || f.type != RPC_WIRE_BYTES)
			continue;
		own = field_of(f.bytes, f.len, NAME);
		/* The values of an enum have their names beside it, not within. */
		if (part->is == SCOPE_ENUM && holds(SCOPE_ENUM, f.bytes, f.len, name))
			return true;
		if (!is_text(&own, name, first))
			continue;
		if (!name[first] || (part->is != SCOPE_LEAF && part->is != SCOPE_ENUM &&
				     holds(part->is, f.bytes, f.len, name + first + 1)))
			return true;
	}
	return false;
}

static bool file_has_name(const struct descriptor_file *file, const char *name)
{
	struct rpc_wire_field own = field_of(file->bytes, file->len, FILE_NAME);

	return is_text(&own, name, strlen(name));
}

static bool file_has_symbol(const struct descriptor_file *file, const char *symbol)
{
	struct rpc_wire_field package = field_of(file->bytes, file->len, FILE_PACKAGE);

	if (package.len && (strncmp(symbol, (const char *)package.bytes, package.len) != 0 ||
			    symbol[package.len] != '.'))
		return false;
	return holds(SCOPE_FILE, file->bytes, file->len,
		     package.len ? symbol + package.len + 1 : symbol);
}

static bool find(const struct descriptor_set *set, const char *wanted,
		 bool (*has)(const struct descriptor_file *file, const char *wanted),
		 struct descriptor_file *file)
{
	struct reader r = reader_over(set->bytes, set->len);
	struct rpc_wire_field f;

	while (rpc_wire_next(&r, &f)) {
		const struct descriptor_file candidate = { f.bytes, f.len };

		if (f.number == SET_FILE && f.type == RPC_WIRE_BYTES && has(&candidate, wanted)) {
			*file = candidate;
			return true;
		}
	}
	return false;
}

bool descriptor_find_file(const struct descriptor_set *set, const char *name,
			  struct descriptor_file *file)
{
	return find(set, name, file_has_name, file);
}

bool descriptor_find_symbol(const struct descriptor_set *set, const char *symbol,
			    struct descriptor_file *file)
{
	return find(set, symbol, file_has_symbol, file);
}
