/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/provider_table.h"

#include "common/base/file.h"
#include "common/base/lines.h"
#include "common/base/log.h"
#include "computations/oidc/discovery.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>

/* ---- page ADDRESS ---- */

static int take_page(struct provider_table *t, struct line *l, struct err *e)
{
	const char *address = line_word(l);
	struct err why;

	if (*t->page)
		return line_refuse(l, e, "page is there twice: remove one of them");
	if (strlen(address) > PROVIDER_PAGE_MAX || strncmp(address, "https://", 8) != 0 ||
	    strchr(address + 8, '/') || discovery_issuer_check(address, &why) < 0)
		return line_refuse(
			l, e,
			"page %s: wanted https://NAME:PORT, as browsers have it, without "
			"a path",
			log_quote(address).text);
	if (*line_word(l))
		return line_refuse(l, e, "page %s: one word behind it", t->page);
	memcpy(t->page, address, strlen(address) + 1);
	return 0;
}

/* ---- provider NAME KEY=VALUE… ---- */

static const struct key {
	const char *word;
	size_t offset, max;
	bool is_path;
} keys[] = {
#define KEY(word_, member_, is_path_)                            \
	{ .word = word_,                                         \
	  .offset = offsetof(struct provider, member_),          \
	  .max = sizeof(((struct provider *)NULL)->member_) - 1, \
	  .is_path = is_path_ }
	KEY("issuer", issuer, false),     KEY("client", client, false),
	KEY("secret", secret_path, true), KEY("ca", ca_path, true),
	KEY("scopes", scopes, false),     KEY("name", name_claim, false),
	KEY("acr", acr, false),           KEY("amr", amr, false),
#undef KEY
};

static int take_key(struct line *l, struct provider *row, char *word, struct err *e)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; value && i < ARRAY_LEN(keys); i++) {
		char *to = (char *)row + keys[i].offset;

		if (strcmp(word, keys[i].word) != 0)
			continue;
		if (*to)
			return line_refuse(l, e,
					   "provider %s: %s is there twice: remove one of them",
					   row->name, word);
		if (!*value || strlen(value) > keys[i].max || (keys[i].is_path && *value != '/'))
			return line_refuse(
				l, e, "provider %s: %s=%s: wanted %s of 1 to %zu characters",
				row->name, word, log_quote(value).text,
				keys[i].is_path ? "an absolute path" : "a text", keys[i].max);
		memcpy(to, value, strlen(value) + 1);
		return 0;
	}
	return line_refuse(l, e,
			   "provider %s: %s is no issuer=, client=, secret=, ca=, scopes=, name=, "
			   "acr= or amr=",
			   row->name, log_quote(word).text);
}

/* "profile,groups" becomes "openid profile groups" (RFC 6749, 3.3). */
static int take_scopes(const struct line *l, struct provider *row, struct err *e)
{
	char given[PROVIDER_SCOPES_MAX + 1];
	int len;

	snprintf(given, sizeof(given), "%s", row->scopes);
	for (char *c = given; *c; c++) {
		if (strchr("\"\\", *c) || (*c == ',' && (c == given || c[1] == ',' || !c[1])))
			return line_refuse(
				l, e, "provider %s: scopes=%s: wanted words with commas between",
				row->name, log_quote(row->scopes).text);
		if (*c == ',')
			*c = ' ';
	}
	len = snprintf(row->scopes, sizeof(row->scopes), *given ? "openid %s" : "openid%s", given);
	if ((size_t)len >= sizeof(row->scopes))
		return line_refuse(l, e, "provider %s: scopes= has more than %d characters",
				   row->name, PROVIDER_SCOPES_MAX);
	return 0;
}

static int check_provider(const struct line *l, const struct provider_table *t,
			  const struct provider *row, struct err *e)
{
	struct err why;

	if (!*row->issuer || !*row->client)
		return line_refuse(l, e, "provider %s: %s= is missing", row->name,
				   *row->issuer ? "client" : "issuer");
	if (discovery_issuer_check(row->issuer, &why) < 0)
		return line_refuse(l, e, "provider %s: issuer=%s", row->name, why.text);
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, row->name) == 0)
			return line_refuse(l, e, "provider %s is there twice: remove one of them",
					   row->name);
		if (strcmp(t->rows[i].issuer, row->issuer) == 0)
			return line_refuse(
				l, e,
				"provider %s has the issuer of provider %s: remove one of "
				"them",
				row->name, t->rows[i].name);
	}
	if (t->count == PROVIDERS_MAX)
		return line_refuse(l, e, "more than %d providers", PROVIDERS_MAX);
	return 0;
}

static bool is_name(const char *name)
{
	struct err ignored;

	return strlen(name) <= IDENTITY_PROVIDER_MAX &&
	       people_name_check("provider", name, &ignored) == 0;
}

static int take_provider(struct provider_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l);
	struct provider row = { .name = "" };
	char *word;

	if (!is_name(name))
		return line_refuse(l, e,
				   "provider %s: a name is %d of a-z 0-9 . _ @ + - at most, with a "
				   "letter or digit first",
				   log_quote(name).text, IDENTITY_PROVIDER_MAX);
	memcpy(row.name, name, strlen(name) + 1);
	while (*(word = line_word(l)))
		if (take_key(l, &row, word, e) < 0)
			return err_code(e);
	if (take_scopes(l, &row, e) < 0 || check_provider(l, t, &row, e) < 0)
		return err_code(e);
	t->rows[t->count++] = row;
	return 0;
}

/* ---- map PROVIDER CLAIM=VALUE WORKSPACE ROLE ---- */

static int take_rule(const struct line *l, struct provider_rule *rule, const char *claim,
		     const char *workspace, const char *role, struct err *e)
{
	const char *value = strchr(claim, '=');
	struct err why;

	if (!value || value == claim || (size_t)(value - claim) > PROVIDER_CLAIM_MAX || !value[1] ||
	    strlen(value + 1) > PROVIDER_VALUE_MAX)
		return line_refuse(l, e, "map: %s: wanted CLAIM=VALUE, of %d and %d characters",
				   log_quote(claim).text, PROVIDER_CLAIM_MAX, PROVIDER_VALUE_MAX);
	snprintf(rule->claim, sizeof(rule->claim), "%.*s", (int)(value - claim), claim);
	memcpy(rule->value, value + 1, strlen(value + 1) + 1);
	if (!*workspace || strlen(workspace) > PEOPLE_NAME_MAX)
		return line_refuse(l, e, "map: %s: wanted the name of a workspace",
				   log_quote(workspace).text);
	memcpy(rule->workspace, workspace, strlen(workspace) + 1);
	if (membership_find(role, &rule->role, &why) < 0)
		return line_refuse(l, e, "map: %s", why.text);
	return 0;
}

static int take_map(struct provider_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l), *claim = line_word(l), *workspace = line_word(l),
		   *role = line_word(l);
	const struct provider *row = provider_table_find(t, name);
	struct provider_rule rule = { .provider = 0 };

	if (!row)
		return line_refuse(l, e, "map %s: no line above is of a provider of that name",
				   log_quote(name).text);
	if (!*row->name_claim)
		return line_refuse(l, e,
				   "map %s: what is a new user called? The provider's line lacks "
				   "name=CLAIM",
				   name);
	if (*line_word(l))
		return line_refuse(l, e, "map %s: wanted CLAIM=VALUE WORKSPACE ROLE", name);
	rule.provider = (size_t)(row - t->rows);
	if (take_rule(l, &rule, claim, workspace, role, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < t->rule_count; i++)
		if (t->rules[i].provider == rule.provider &&
		    strcmp(t->rules[i].claim, rule.claim) == 0 &&
		    strcmp(t->rules[i].value, rule.value) == 0 &&
		    strcmp(t->rules[i].workspace, rule.workspace) == 0)
			return line_refuse(l, e,
					   "map %s: the same is there already, for workspace %s",
					   name, rule.workspace);
	if (t->rule_count == PROVIDER_RULES_MAX)
		return line_refuse(l, e, "more than %d lines of map", PROVIDER_RULES_MAX);
	t->rules[t->rule_count++] = rule;
	return 0;
}

/* ---- the file ---- */

static int take_line(void *table, struct line *l, struct err *e)
{
	static const struct {
		const char *word;
		int (*take)(struct provider_table *t, struct line *l, struct err *e);
	} kinds[] = { { "page", take_page }, { "provider", take_provider }, { "map", take_map } };
	const char *word = line_word(l);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(word, kinds[i].word) == 0)
			return kinds[i].take(table, l, e);
	return line_refuse(l, e, "%s: a line begins with page, provider or map",
			   log_quote(word).text);
}

int provider_table_parse(const char *text, size_t len, const char *where,
			 struct provider_table *table, struct err *e)
{
	if (len > PROVIDER_TABLE_FILE_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", where,
			       PROVIDER_TABLE_FILE_MAX);
	table->count = table->rule_count = 0;
	*table->page = '\0';
	if (lines_read(text, len, PROVIDER_TABLE_LINE_MAX, where, take_line, table, e) < 0)
		return err_code(e);
	if (!table->count)
		return err_set(
			e, ERR_INVALID,
			"%s: no provider: add a line such as 'provider clinic "
			"issuer=https://login.example client=cocos secret=/etc/cocos/secret'",
			where);
	return 0;
}

static int check_mode(const char *path, mode_t others, const char *wanted, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & others))
		return err_set(
			e, ERR_PRECONDITION,
			"'%s' decides who may sign in, and belongs to others, or they may use "
			"it: give it to root, mode %s",
			path, wanted);
	return 0;
}

static int read_secret(struct provider *row, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;
	int failed = 0;

	if (check_mode(row->secret_path, S_IWGRP | S_IRWXO, "0640", e) < 0 ||
	    file_read_text(row->secret_path, PROVIDER_SECRET_MAX + 1, &text, e) < 0)
		return err_wrap(e, "provider %s: secret", row->name);
	len = strcspn(text, "\n");
	if (!len || len > PROVIDER_SECRET_MAX || text[len + (text[len] == '\n')])
		failed = err_set(e, ERR_INVALID,
				 "provider %s: '%s' has to hold one line of 1 to %d characters",
				 row->name, row->secret_path, PROVIDER_SECRET_MAX);
	else
		snprintf(row->secret, sizeof(row->secret), "%.*s", (int)len, text);
	OPENSSL_cleanse(text, strlen(text));
	return failed;
}

int provider_table_read(const char *path, struct provider_table *table, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (check_mode(path, S_IWGRP | S_IWOTH, "0644", e) < 0 ||
	    file_read(path, PROVIDER_TABLE_FILE_MAX, &bytes, &len, e) < 0 ||
	    provider_table_parse((const char *)bytes, len, path, table, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < table->count; i++)
		if (*table->rows[i].secret_path && read_secret(&table->rows[i], e) < 0)
			return err_code(e);
	return 0;
}

const struct provider *provider_table_find(const struct provider_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

bool provider_table_maps(const struct provider_table *table, const char *workspace)
{
	for (size_t i = 0; i < table->rule_count; i++)
		if (strcmp(table->rules[i].workspace, workspace) == 0)
			return true;
	return false;
}

bool provider_table_makes(const struct provider_table *table, const struct provider *row)
{
	for (size_t i = 0; i < table->rule_count; i++)
		if (&table->rows[table->rules[i].provider] == row)
			return true;
	return false;
}

/* ---- what a token says ---- */

void provider_table_match(const struct provider_table *table, const struct provider *row,
			  const struct id_token *token, struct provider_matches *matches)
{
	*matches = (struct provider_matches){ .any = false };
	for (size_t i = 0; i < table->rule_count; i++) {
		const struct provider_rule *rule = &table->rules[i];

		if (&table->rows[rule->provider] != row ||
		    !id_token_has(token, rule->claim, rule->value))
			continue;
		matches->bits[i / 64] |= UINT64_C(1) << i % 64;
		matches->any = true;
	}
}

bool provider_is_strong(const struct provider *row, const struct id_token *token)
{
	const char *acr = id_token_text(token, "acr");

	if (!*row->acr && !*row->amr)
		return false;
	return (!*row->acr || (acr && strcmp(acr, row->acr) == 0)) &&
	       (!*row->amr || id_token_has(token, "amr", row->amr));
}
