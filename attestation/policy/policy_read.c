/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the tables of policy_fields.h. */
#include "attestation/policy/policy_fields.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct policy_block {
	struct policy_block *next;
	max_align_t bytes[];
};

void *policy_alloc(struct policy_reading *r, size_t len)
{
	struct policy_block *block = calloc(1, sizeof(*block) + len);

	if (!block) {
		err_nomem(r->e);
		return NULL;
	}
	block->next = r->policy->blocks;
	r->policy->blocks = block;
	return block->bytes;
}

void policy_init(struct policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	snp_policy_init(&policy->snp);
	tdx_policy_init(&policy->tdx);
}

void policy_done(struct policy *policy)
{
	while (policy->blocks) {
		struct policy_block *next = policy->blocks->next;

		free(policy->blocks);
		policy->blocks = next;
	}
	policy_init(policy);
}

int policy_wrong(struct policy_reading *r, const struct json *value, const char *wanted)
{
	return err_set(r->e, ERR_INVALID, "%s%s%s where %s is wanted", json_type_name(value->type),
		       value->text ? " " : "", value->text ? log_quote(value->text).text : "",
		       wanted);
}

int policy_read_u64(struct policy_reading *r, const struct json *value, uint64_t max, uint64_t *out)
{
	struct json number = *value;
	uint64_t v;

	if (value->type != JSON_NUMBER && value->type != JSON_STRING)
		return policy_wrong(r, value, "a number");
	number.type = JSON_NUMBER;
	if (json_u64(&number, &v, r->e) < 0)
		return err_code(r->e);
	if (v > max)
		return err_set(r->e, ERR_INVALID, "%s is over %llu", value->text,
			       (unsigned long long)max);
	*out = v;
	return 0;
}

int policy_read_bytes(struct policy_reading *r, const struct json *value, size_t len, uint8_t *out)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t got;

	if (value->type != JSON_STRING)
		return policy_wrong(r, value, "a string");
	if (!*value->text)
		return err_set(r->e, ERR_INVALID, "is empty; leave it out, or write %zu bytes",
			       len);
	if (r->encoding == POLICY_HEX)
		return hex_decode(value->text, out, len, r->e);
	if (base64_decode(value->text, strlen(value->text), &bytes, &got, r->e) < 0)
		return err_code(r->e);
	if (got != len)
		return err_set(r->e, ERR_INVALID, "%zu bytes where %zu are wanted", got, len);
	memcpy(out, bytes, len);
	return 0;
}

int policy_add_value(struct policy_reading *r, struct value_set *set, const uint8_t *value,
		     size_t len)
{
	uint8_t *values = policy_alloc(r, (set->count + 1) * len);

	if (!values)
		return err_code(r->e);
	if (set->count)
		memcpy(values, set->values, set->count * len);
	memcpy(values + set->count * len, value, len);
	set->values = values;
	set->count++;
	return 0;
}

static void put_set(void *slot, const uint8_t *values, size_t count)
{
	const struct value_set set = { values, count };

	memcpy(slot, &set, sizeof(set));
}

static int read_set(struct policy_reading *r, const struct json *value, void *slot, size_t len)
{
	if (value->type != JSON_ARRAY)
		return policy_wrong(r, value, "an array");
	if (!value->count || value->count > POLICY_LIST_MAX)
		return err_set(r->e, ERR_INVALID, "%zu values; 1 to %d", value->count,
			       POLICY_LIST_MAX);
	uint8_t *values = policy_alloc(r, value->count * len);
	if (!values)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++)
		if (policy_read_bytes(r, &value->items[i], len, values + i * len) < 0)
			return err_wrap(r->e, "value %zu", i + 1);
	put_set(slot, values, value->count);
	return 0;
}

static int read_one(struct policy_reading *r, const struct json *value, void *slot, size_t len)
{
	uint8_t *bytes = policy_alloc(r, len);

	if (!bytes || policy_read_bytes(r, value, len, bytes) < 0)
		return err_code(r->e);
	put_set(slot, bytes, 1);
	return 0;
}

static int read_text(struct policy_reading *r, const struct json *value, char **out)
{
	if (value->type != JSON_STRING || !*value->text)
		return policy_wrong(r, value, "a string that is not empty");
	char *copy = policy_alloc(r, strlen(value->text) + 1);
	if (!copy)
		return err_code(r->e);
	memcpy(copy, value->text, strlen(value->text));
	*out = copy;
	return 0;
}

static int read_number(struct policy_reading *r, const struct json *value, enum policy_kind kind,
		       void *slot)
{
	static const uint64_t most[] = { [POLICY_U8] = UINT8_MAX,
					 [POLICY_U16] = UINT16_MAX,
					 [POLICY_U32] = UINT32_MAX,
					 [POLICY_U64] = UINT64_MAX };
	uint64_t v;

	if (policy_read_u64(r, value, most[kind], &v) < 0)
		return err_code(r->e);
	switch (kind) {
	case POLICY_U8:
		*(uint8_t *)slot = (uint8_t)v;
		break;
	case POLICY_U16:
		*(uint16_t *)slot = (uint16_t)v;
		break;
	case POLICY_U32:
		*(uint32_t *)slot = (uint32_t)v;
		break;
	default:
		*(uint64_t *)slot = v;
		break;
	}
	return 0;
}

static int read_value(struct policy_reading *r, const struct json *value,
		      const struct policy_row *row, bool camel)
{
	void *slot = (char *)r->policy + row->offset;

	switch (row->kind) {
	case POLICY_BOOL:
		if (value->type != JSON_BOOL)
			return policy_wrong(r, value, "true or false");
		*(bool *)slot = value->boolean;
		return 0;
	case POLICY_U8:
	case POLICY_U16:
	case POLICY_U32:
	case POLICY_U64:
		return read_number(r, value, row->kind, slot);
	case POLICY_BYTES:
		return policy_read_bytes(r, value, row->len, slot);
	case POLICY_ONE:
		return read_one(r, value, slot, row->len);
	case POLICY_SET:
		return read_set(r, value, slot, row->len);
	case POLICY_OBJECT:
		return policy_read_object(r, value, row->rows, camel);
	case POLICY_TEXT:
		return read_text(r, value, slot);
	case POLICY_CUSTOM:
		return row->read(r, value);
	}
	return err_set(r->e, ERR_INTERNAL, "'%s' has no reader", row->key);
}

/* "minimumTcb" is "minimum_tcb" to protobuf's JSON. */
static bool is_camel_of(const char *key, const char *snake)
{
	for (; *snake; snake++, key++) {
		char c = *snake;

		if (c == '_') {
			c = *++snake;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
		}
		if (*key != c)
			return false;
	}
	return !*key;
}

static const struct policy_row *find_row(const struct policy_row *rows, const char *key, bool camel)
{
	for (; rows->key; rows++)
		if (strcmp(rows->key, key) == 0 || (camel && is_camel_of(key, rows->key)))
			return rows;
	return NULL;
}

int policy_is_said(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_NULL)
		return 1;
	if (r->encoding == POLICY_HEX)
		return err_set(r->e, ERR_INVALID, "null says nothing; leave it out");
	return 0;
}

int policy_object(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_OBJECT)
		return policy_wrong(r, value, "an object");
	if (!value->count && r->encoding == POLICY_HEX)
		return err_set(r->e, ERR_INVALID, "is empty and says nothing; leave it out");
	return 0;
}

int policy_read_object(struct policy_reading *r, const struct json *object,
		       const struct policy_row *rows, bool camel)
{
	if (policy_object(r, object) < 0)
		return err_code(r->e);
	return policy_read_members(r, object, rows, camel);
}

int policy_read_members(struct policy_reading *r, const struct json *object,
			const struct policy_row *rows, bool camel)
{
	if (object->type != JSON_OBJECT)
		return policy_wrong(r, object, "an object");
	for (size_t i = 0; i < object->count; i++) {
		const struct json *value = &object->items[i];
		const struct policy_row *row = find_row(rows, value->key, camel);

		if (!row)
			return err_set(r->e, ERR_INVALID, "unknown key %s",
				       log_quote(value->key).text);
		for (size_t k = 0; k < i; k++)
			if (find_row(rows, object->items[k].key, camel) == row)
				return err_set(r->e, ERR_INVALID, "'%s' and '%s' are one key",
					       object->items[k].key, value->key);
		int said = policy_is_said(r, value);
		if (said < 0 || (said && read_value(r, value, row, camel) < 0))
			return err_wrap(r->e, "%s", value->key);
	}
	return 0;
}

int policy_begin(struct policy_reading *r, bool *described)
{
	if (*described)
		return err_set(r->e, ERR_INVALID, "is described twice, in both forms");
	*described = true;
	return 0;
}
