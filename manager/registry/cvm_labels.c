/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/cvm_labels.h"

#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ENDS   LOWER DIGITS
#define VALUE  ENDS "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._/:@+"

/* Of these characters, with those of ENDS first and last. */
static bool is_word(const char *text, size_t len, const char *inside, size_t max)
{
	if (len < 1 || len > max || !strchr(ENDS, text[0]) || !strchr(ENDS, text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(inside, text[i]))
			return false;
	return true;
}

static bool is_value(const char *text, size_t len)
{
	return len <= CVM_LABEL_VALUE_MAX && strspn(text, VALUE) >= len;
}

/* 8-4-4-4-12 hexadecimal digits: a call that takes either would not know which is meant. */
static bool looks_like_id(const char *text)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };

	if (strlen(text) != 36 || strspn(text, "0123456789abcdef-") != 36)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(dashes); i++)
		if (text[dashes[i]] != '-')
			return false;
	return true;
}

int cvm_name_check(const char *name, struct err *e)
{
	if (!*name)
		return 0;
	if (!is_word(name, strlen(name), ENDS "-.", CVM_NAME_MAX))
		return err_set(
			e, ERR_INVALID,
			"name: %s is not 1 to %d lower-case letters, digits, '-' and '.', with a "
			"letter or digit at both ends",
			log_quote(name).text, CVM_NAME_MAX);
	if (looks_like_id(name))
		return err_set(e, ERR_INVALID, "name: %s has the form of a CVM's id",
			       log_quote(name).text);
	return 0;
}

static bool is_key(const char *text, size_t len)
{
	return is_word(text, len, ENDS "-._/", CVM_LABEL_KEY_MAX);
}

static int check_label(const Manager__Label *label, struct err *e)
{
	if (!is_key(label->key, strlen(label->key)))
		return err_set(e, ERR_INVALID,
			       "labels: %s is not a key: 1 to %d lower-case letters, digits and "
			       "\"-._/\", with a letter or digit at both ends",
			       log_quote(label->key).text, CVM_LABEL_KEY_MAX);
	if (!is_value(label->value, strlen(label->value)))
		return err_set(e, ERR_INVALID,
			       "labels: %s of %s is not a value: at most %d letters, digits and "
			       "\"-._/:@+\"",
			       log_quote(label->value).text, label->key, CVM_LABEL_VALUE_MAX);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const Manager__Label *const *one = a, *const *other = b;

	return strcmp((*one)->key, (*other)->key);
}

int cvm_labels_make(Manager__Label *const *labels, size_t count, char out[CVM_LABELS_MAX + 1],
		    struct err *e)
{
	const Manager__Label *sorted[CVM_LABELS_COUNT_MAX];
	CLEANUP_WRITER struct writer w = writer_up_to(CVM_LABELS_MAX);

	if (count > CVM_LABELS_COUNT_MAX)
		return err_set(e, ERR_INVALID, "labels: %zu are more than %d", count,
			       CVM_LABELS_COUNT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (check_label(labels[i], e) < 0)
			return err_code(e);
		sorted[i] = labels[i];
	}
	qsort(sorted, count, sizeof(sorted[0]), by_key);
	for (size_t i = 0; i < count; i++) {
		if (i && strcmp(sorted[i]->key, sorted[i - 1]->key) == 0)
			return err_set(e, ERR_INVALID, "labels: %s comes twice", sorted[i]->key);
		writer_printf(&w, "%s%s=%s", i ? "," : "", sorted[i]->key, sorted[i]->value);
	}
	if (writer_check(&w, "labels", e) < 0)
		return err_set(e, ERR_INVALID, "labels: together longer than %d bytes",
			       CVM_LABELS_MAX);
	if (w.len)
		memcpy(out, w.bytes, w.len);
	out[w.len] = '\0';
	return 0;
}

/* One label where it stands in the text. */
struct place {
	const char *key, *value;
	size_t key_len, value_len;
};

/* The one at *at, which moves on to the next, or to NULL. False if there is none. */
static bool next(const char **at, struct place *p)
{
	const char *end, *equals;

	if (!*at || !**at)
		return false;
	end = *at + strcspn(*at, ",");
	equals = memchr(*at, '=', (size_t)(end - *at));
	if (!equals)
		return false;
	*p = (struct place){ *at, equals + 1, (size_t)(equals - *at), (size_t)(end - equals - 1) };
	*at = *end ? end + 1 : NULL;
	return true;
}

static bool comes_after(const struct place *p, const struct place *before)
{
	size_t len = p->key_len < before->key_len ? p->key_len : before->key_len;
	int order = memcmp(before->key, p->key, len);

	return order < 0 || (order == 0 && before->key_len < p->key_len);
}

bool cvm_labels_are_valid(const char *text)
{
	struct place p, before = { .key = NULL };
	const char *at = text;
	size_t count = 0;

	if (!*text)
		return true;
	if (strlen(text) > CVM_LABELS_MAX)
		return false;
	while (at) {
		if (!next(&at, &p) || ++count > CVM_LABELS_COUNT_MAX || !is_key(p.key, p.key_len) ||
		    !is_value(p.value, p.value_len) || (before.key && !comes_after(&p, &before)))
			return false;
		before = p;
	}
	return true;
}

bool cvm_labels_have(const char *labels, const char *some)
{
	struct place wanted, had;

	for (const char *at = some; next(&at, &wanted);) {
		size_t len = wanted.key_len + 1 + wanted.value_len;
		bool found = false;

		for (const char *in = labels; !found && next(&in, &had);)
			found = had.key_len + 1 + had.value_len == len &&
				memcmp(had.key, wanted.key, len) == 0;
		if (!found)
			return false;
	}
	return true;
}

size_t cvm_labels_split(char *text, Manager__Label out[CVM_LABELS_COUNT_MAX])
{
	const char *at = text;
	size_t count = 0;
	struct place p;

	while (count < CVM_LABELS_COUNT_MAX && next(&at, &p)) {
		Manager__Label *label = &out[count++];

		manager__label__init(label);
		label->key = text + (p.key - text);
		label->value = text + (p.value - text);
		label->key[p.key_len] = '\0';
		label->value[p.value_len] = '\0';
	}
	return count;
}
