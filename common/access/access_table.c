/* SPDX-License-Identifier: Apache-2.0 */
#include "common/access/access_table.h"

#include "common/base/lines.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/crypto/key.h"
#include "common/rpc/identity.h"

#include <stdlib.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool access_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= ACCESS_NAME_MAX && is_alnum(name[0]) && is_alnum(name[len - 1]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

/* Digits in their one form. */
static bool take_number(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > max / 10)
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*number = n;
	return n <= max;
}

/* (uid_t)-1 is nobody's. */
static bool take_id(const char *value, struct access_rule *rule)
{
	return take_number(value, UINT32_MAX - 1, &rule->number);
}

static bool take_subject(const char *value, struct access_rule *rule)
{
	size_t len = strlen(value);

	return strchr(value, '=') && len <= RPC_SUBJECT_MAX &&
	       !(len > 1 && strchr(" \t", value[len - 1]) && value[len - 2] != '\\');
}

static bool take_spiffe(const char *value, struct access_rule *rule)
{
	return identity_is_spiffe(value, strlen(value));
}

static bool take_key(const char *value, struct access_rule *rule)
{
	return strlen(value) == 2 * (size_t)KEY_FINGERPRINT_LEN &&
	       strspn(value, "0123456789abcdef") == strlen(value);
}

static const struct {
	const char *word;
	bool (*take)(const char *value, struct access_rule *rule);
	const char *form;
} kinds[] = {
	[ACCESS_UID] = { "uid", take_id, "a number, as id -u prints it" },
	[ACCESS_GID] = { "gid", take_id, "a number, as id -g prints it" },
	[ACCESS_SUBJECT] = { "subject", take_subject,
			     "a certificate's subject as the audit log writes it (RFC 2253)" },
	[ACCESS_SPIFFE] = { "spiffe", take_spiffe, "spiffe:// and an id, without '/' at its end" },
	[ACCESS_KEY] = { "key", take_key,
			 "64 hexadecimal digits, as cocos-cli key fingerprint prints them" },
};
_Static_assert(ARRAY_LEN(kinds) == ACCESS_KINDS, "each has a word");

static const char *const limits[] = {
	[ACCESS_CVMS] = "cvms", [ACCESS_CPUS] = "cpus", [ACCESS_MEMORY] = "memory"
};
_Static_assert(ARRAY_LEN(limits) == ACCESS_LIMITS, "each has a word");

static bool is_same(const struct access_rule *a, const struct access_rule *b)
{
	return a->kind == b->kind && a->number == b->number &&
	       (!a->text || strcmp(a->text, b->text) == 0);
}

static int add_rule(struct access_table *t, struct access_rule *rule, const struct line *l,
		    struct err *e)
{
	for (size_t i = 0; i < t->rule_count; i++)
		if (is_same(&t->rules[i], rule))
			return line_refuse(l, e,
					   "this %s is in line %u already: remove one of them",
					   kinds[rule->kind].word, t->rules[i].line);
	if (t->rule_count == ACCESS_RULES_MAX)
		return line_refuse(l, e, "more than %d identities", ACCESS_RULES_MAX);
	t->rules[t->rule_count++] = *rule;
	rule->text = NULL;
	return 0;
}

/* KIND VALUE */
static int take_identity(struct access_table *t, const struct access_tenant *tenant, struct line *l,
			 struct err *e)
{
	struct access_rule rule = { .tenant = tenant, .line = l->number };
	const char *word = line_word(l);
	size_t k = 0;
	int failed;

	while (k < ACCESS_KINDS && strcmp(word, kinds[k].word) != 0)
		k++;
	if (k == ACCESS_KINDS)
		return line_refuse(l, e, "%s: an identity is uid, gid, subject, spiffe or key",
				   *word ? log_quote(word).text : "nothing");
	rule.kind = (enum access_kind)k;
	if (!kinds[k].take(l->rest, &rule))
		return line_refuse(l, e, "%s %s: it has to be %s", word, log_quote(l->rest).text,
				   kinds[k].form);
	if (k != ACCESS_UID && k != ACCESS_GID && !(rule.text = strdup(l->rest)))
		return err_nomem(e);
	failed = add_rule(t, &rule, l, e);
	free(rule.text);
	return failed;
}

static struct access_tenant *find_tenant(struct access_table *t, const char *name)
{
	for (size_t i = 0; i < t->tenant_count; i++)
		if (strcmp(t->tenants[i].name, name) == 0)
			return &t->tenants[i];
	return NULL;
}

static int take_operator(struct access_table *t, struct line *l, struct err *e)
{
	return take_identity(t, NULL, l, e);
}

static int take_tenant(struct access_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l);
	struct access_tenant *tenant = find_tenant(t, name);

	if (!access_name_is_valid(name))
		return line_refuse(l, e,
				   "tenant %s: a name is %d of a-z 0-9 - . at most, with a letter "
				   "or digit at both ends",
				   log_quote(name).text, ACCESS_NAME_MAX);
	if (!tenant) {
		if (t->tenant_count == ACCESS_TENANTS_MAX)
			return line_refuse(l, e, "more than %d tenants", ACCESS_TENANTS_MAX);
		tenant = &t->tenants[t->tenant_count++];
		memcpy(tenant->name, name, strlen(name) + 1);
		for (size_t i = 0; i < ACCESS_LIMITS; i++)
			tenant->limits[i] = ACCESS_NO_LIMIT;
	}
	return take_identity(t, tenant, l, e);
}

/* NAME WHAT NUMBER */
static int take_limit(struct access_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l), *what = line_word(l), *value = line_word(l);
	struct access_tenant *tenant = find_tenant(t, name);
	uint64_t number;
	struct err why;
	size_t k = 0;

	if (!tenant)
		return line_refuse(l, e, "limit: no line above says who tenant %s is",
				   log_quote(name).text);
	while (k < ACCESS_LIMITS && strcmp(what, limits[k]) != 0)
		k++;
	if (k == ACCESS_LIMITS)
		return line_refuse(l, e, "limit %s: %s is none: cvms, cpus or memory", name,
				   log_quote(what).text);
	if (*l->rest)
		return line_refuse(l, e, "limit %s %s: %s is one word too many", name, what,
				   log_quote(l->rest).text);
	if (k == ACCESS_MEMORY ? size_parse(value, &number, &why) < 0
			       : !take_number(value, UINT32_MAX, &number))
		return line_refuse(l, e, "limit %s %s: %s is no %s", name, what,
				   log_quote(value).text,
				   k == ACCESS_MEMORY ? "size, such as 16G" : "number");
	if (tenant->limits[k] != ACCESS_NO_LIMIT)
		return line_refuse(l, e, "limit %s %s: is there twice: remove one of them", name,
				   what);
	tenant->limits[k] = number;
	return 0;
}

static const struct {
	const char *word;
	int (*take)(struct access_table *t, struct line *l, struct err *e);
} kinds_of_line[] = {
	{ "operator", take_operator },
	{ "tenant", take_tenant },
	{ "limit", take_limit },
};

static int take_line(void *table, struct line *l, struct err *e)
{
	const char *word = line_word(l);

	for (size_t i = 0; i < ARRAY_LEN(kinds_of_line); i++)
		if (strcmp(word, kinds_of_line[i].word) == 0)
			return kinds_of_line[i].take(table, l, e);
	return line_refuse(l, e, "%s: a line begins with operator, tenant or limit",
			   log_quote(word).text);
}

int access_table_parse(const char *text, size_t len, const char *where, struct access_table **table,
		       struct err *e)
{
	CLEANUP(access_table_free) struct access_table *t = NULL;
	bool has_operator = false;

	if (len > ACCESS_FILE_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", where, ACCESS_FILE_MAX);
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem(e);
	if (lines_read(text, len, ACCESS_LINE_MAX, where, take_line, t, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < t->rule_count; i++)
		has_operator = has_operator || !t->rules[i].tenant;
	if (!has_operator)
		return err_set(e, ERR_INVALID,
			       "%s: nobody is operator: add a line such as 'operator uid 0'",
			       where);
	*table = TAKE_PTR(t);
	return 0;
}

void access_table_free(struct access_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rule_count; i++)
		free(t->rules[i].text);
	free(t);
}
