/* SPDX-License-Identifier: Apache-2.0 */
/* Members of an object, by name and type. */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"

#include <string.h>

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = { "null",     "a boolean", "a number",
					     "a string", "an array",  "an object" };

	return names[type];
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->items[i].key, key) == 0)
			return &object->items[i];
	return NULL;
}

static int get_typed(const struct json *object, const char *key, enum json_type type,
		     const struct json **member, struct err *e)
{
	const struct json *m = json_get(object, key);

	if (!m)
		return err_set(e, ERR_NOT_FOUND, "'%s' is missing", key);
	if (m->type != type)
		return err_set(e, ERR_INVALID, "'%s' is %s, not %s", key, json_type_name(m->type),
			       json_type_name(type));
	*member = m;
	return 0;
}

int json_get_string(const struct json *object, const char *key, const char **text, struct err *e)
{
	const struct json *m;

	if (get_typed(object, key, JSON_STRING, &m, e) < 0)
		return err_code(e);
	*text = m->text;
	return 0;
}

int json_get_hex(const struct json *object, const char *key, uint8_t *bytes, size_t len,
		 struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0)
		return err_code(e);
	if (hex_decode(text, bytes, len, e) < 0)
		return err_wrap(e, "'%s'", key);
	return 0;
}

int json_u64(const struct json *number, uint64_t *value, struct err *e)
{
	uint64_t v = 0;
	const char *c = number->text;

	if (number->type != JSON_NUMBER)
		return err_set(e, ERR_INVALID, "%s where a number is wanted",
			       json_type_name(number->type));
	if (!*c || (c[0] == '0' && c[1]))
		return err_set(e, ERR_INVALID, "%s is not a whole number", log_quote(c).text);
	for (; *c; c++) {
		unsigned digit = (unsigned)*c - '0';

		if (digit > 9)
			return err_set(e, ERR_INVALID, "%s is not a whole number",
				       log_quote(number->text).text);
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
			return err_set(e, ERR_INVALID, "%s is over 2^64-1",
				       log_quote(number->text).text);
	}
	*value = v;
	return 0;
}

int json_get_u64(const struct json *object, const char *key, uint64_t *value, struct err *e)
{
	const struct json *m;

	if (get_typed(object, key, JSON_NUMBER, &m, e) < 0)
		return err_code(e);
	if (json_u64(m, value, e) < 0)
		return err_wrap(e, "'%s'", key);
	return 0;
}

int json_get_bool(const struct json *object, const char *key, bool *value, struct err *e)
{
	const struct json *m;

	if (get_typed(object, key, JSON_BOOL, &m, e) < 0)
		return err_code(e);
	*value = m->boolean;
	return 0;
}

int json_get_array(const struct json *object, const char *key, const struct json **array,
		   struct err *e)
{
	return get_typed(object, key, JSON_ARRAY, array, e);
}

int json_get_object(const struct json *object, const char *key, const struct json **member,
		    struct err *e)
{
	return get_typed(object, key, JSON_OBJECT, member, e);
}

int json_only_keys(const struct json *object, const char *const known[], struct err *e)
{
	for (size_t i = 0; i < object->count; i++) {
		const char *key = object->items[i].key;
		size_t k = 0;

		while (known[k] && strcmp(known[k], key) != 0)
			k++;
		if (!known[k])
			return err_set(e, ERR_INVALID, "unknown key %s", log_quote(key).text);
	}
	return 0;
}
