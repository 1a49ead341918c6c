/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/transfer/member.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/manifest/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct json *member_given(const struct json *object, const char *key)
{
	const struct json *found = json_get(object, key);

	return found && found->type != JSON_NULL ? found : NULL;
}

int member_refuse(const char *key, const struct json *found, const char *want, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: %s, not %s", key, json_type_name(found->type), want);
}

int member_text(const struct json *object, const char *key, size_t max, const char **text,
		struct err *e)
{
	const struct json *found = member_given(object, key);

	*text = "";
	if (!found)
		return 0;
	if (found->type != JSON_STRING)
		return member_refuse(key, found, "a text", e);
	if (strlen(found->text) > max)
		return err_set(e, ERR_INVALID, "%s: longer than %zu bytes", key, max);
	*text = found->text;
	return 0;
}

int member_list(const struct json *object, const char *key, size_t max, const struct json **list,
		struct err *e)
{
	const struct json *found = member_given(object, key);

	*list = found;
	if (found && found->type != JSON_ARRAY)
		return member_refuse(key, found, "a list", e);
	if (found && found->count > max)
		return err_set(e, ERR_INVALID, "%s: %zu, more than %zu", key, found->count, max);
	return 0;
}

size_t member_count(const struct json *list)
{
	return list ? list->count : 0;
}

int member_only(const struct json *value, const char *const keys[], struct err *e)
{
	if (value->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "%s, not an object", json_type_name(value->type));
	return json_only_keys(value, keys, e);
}

int member_time(const struct json *object, const char *key, int64_t *ms, struct err *e)
{
	enum { SECONDS = sizeof("2025-11-12T14:00:01") - 1, NANOS = 9 };
	const char *text, *rest;
	char plain[SECONDS + 2];
	int64_t seconds, part = 0;

	*ms = 0;
	if (member_text(object, key, SECONDS + 1 + NANOS + 1, &text, e) < 0)
		return err_code(e);
	if (!*text || strcmp(text, "0001-01-01T00:00:00Z") == 0)
		return 0;
	rest = text + strnlen(text, SECONDS);
	snprintf(plain, sizeof(plain), "%.*sZ", SECONDS, text);
	if (*rest == '.' && isdigit((unsigned char)rest[1])) {
		rest++;
		for (int64_t weight = 100; isdigit((unsigned char)*rest); weight /= 10)
			part += (*rest++ - '0') * weight;
	}
	if (strcmp(rest, "Z") != 0)
		return err_set(e, ERR_INVALID, "%s: %s is not like 2026-06-15T00:00:00Z, in UTC",
			       key, log_quote(text).text);
	if (timestamp_parse(plain, &seconds, e) < 0)
		return err_wrap(e, "%s", key);
	*ms = seconds * 1000 + part;
	return 0;
}

int member_hash(const struct json *object, const char *key, uint8_t *hash, struct err *e)
{
	const char *text;

	if (member_text(object, key, 2 * MANIFEST_HASH_LEN, &text, e) < 0)
		return err_code(e);
	if (!*text)
		return err_set(e, ERR_INVALID,
			       "%s: missing: the asset's SHA3-256 ('cocos-cli checksum FILE')",
			       key);
	if (hex_decode(text, hash, MANIFEST_HASH_LEN, e) < 0)
		return err_wrap(e, "%s", key);
	return 0;
}
