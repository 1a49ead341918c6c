/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy/policy.h"

#include "attestation/policy/policy_fields.h"
#include "common/base/log.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum { TOP_ROWS_MAX = 32 };

/* A top-level key may stand once, in one file: two answers to one question are none. */
struct top {
	const char *seen[TOP_ROWS_MAX];
	size_t count;
};

static int note_key(struct policy_reading *r, struct top *top, const char *key)
{
	for (size_t i = 0; i < top->count; i++)
		if (strcmp(top->seen[i], key) == 0)
			return err_set(r->e, ERR_INVALID, "'%s' stands in two files", key);
	if (top->count == TOP_ROWS_MAX)
		return err_set(r->e, ERR_INVALID, "too many keys");
	top->seen[top->count++] = key;
	return 0;
}

static const struct policy_row *top_row(const char *key, bool *own)
{
	static const struct {
		const char *camel, *snake;
	} spellings[] = { { "rootOfTrust", "root_of_trust" },
			  { "pcrValues", "pcr_values" },
			  { "eatValidation", "eat_validation" } };

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		if (strcmp(key, spellings[i].camel) == 0)
			key = spellings[i].snake;
	*own = false;
	for (const struct policy_row *row = policy_older_rows; row->key; row++)
		if (strcmp(row->key, key) == 0)
			return row;
	*own = true;
	for (const struct policy_row *row = policy_own_rows; row->key; row++)
		if (strcmp(row->key, key) == 0)
			return row;
	return NULL;
}

static int read_member(struct policy_reading *r, struct top *top, const struct json *member)
{
	bool own;
	const struct policy_row *row = top_row(member->key, &own);

	if (!row)
		return err_set(r->e, ERR_INVALID, "unknown key %s", log_quote(member->key).text);
	if (strcmp(row->key, "cocos") != 0 && note_key(r, top, row->key) < 0)
		return err_code(r->e);
	r->encoding = own ? POLICY_HEX : POLICY_BASE64;
	int failed = policy_is_said(r, member);
	if (failed > 0)
		failed = row->kind == POLICY_OBJECT ? policy_read_object(r, member, row->rows, !own)
						    : row->read(r, member);
	return failed < 0 ? err_wrap(r->e, "%s", member->key) : 0;
}

/* What is null counts as absent, in the older form. */
static bool is_there(const struct json *root, const char *key)
{
	const struct json *member = json_get(root, key);

	return member && member->type != JSON_NULL;
}

/* A file of the older form has `policy`; one of ours says so by `cocos`. */
static int check_form(const struct json *root, struct err *e)
{
	bool own;

	if (root->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "%s where an object is wanted",
			       json_type_name(root->type));
	for (size_t i = 0; i < root->count; i++)
		if (top_row(root->items[i].key, &own) && own && !json_get(root, "cocos"))
			return err_set(e, ERR_INVALID, "'%s' without \"cocos\":1 beside it",
				       root->items[i].key);
	if (!json_get(root, "cocos") && !is_there(root, "policy"))
		return err_set(e, ERR_INVALID, "'policy' is missing");
	return 0;
}

static int read_file(struct policy_reading *r, struct top *top, const struct policy_file *file)
{
	CLEANUP(json_free) struct json *root = NULL;

	if (file->len > POLICY_FILE_MAX)
		return err_set(r->e, ERR_EXHAUSTED, "%zu bytes; at most %d", file->len,
			       POLICY_FILE_MAX);
	if (json_parse(file->bytes, file->len, &root, r->e) < 0 || check_form(root, r->e) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < root->count; i++)
		if (read_member(r, top, &root->items[i]) < 0)
			return err_code(r->e);
	return 0;
}

static int digest_files(const struct policy_file *files, size_t count, uint8_t *out, struct err *e)
{
	struct digest_part parts[POLICY_FILES_MAX];

	for (size_t i = 0; i < count; i++)
		parts[i] = (struct digest_part){ files[i].bytes, files[i].len };
	return digest_parts(DIGEST_SHA256, parts, count, out, e);
}

static int read_files(struct policy_reading *r, const struct policy_file *files, size_t count)
{
	struct top top = { .count = 0 };

	for (size_t i = 0; i < count; i++)
		if (read_file(r, &top, &files[i]) < 0)
			return err_wrap(r->e, "policy '%s'", files[i].name);
	if (policy_finish_older(r) < 0 || policy_finish_run(r) < 0)
		return err_wrap(r->e, "policy");
	policy_finish_events(r->policy);
	return digest_files(files, count, r->policy->digest, r->e);
}

int policy_parse(const struct policy_file *files, size_t count, struct policy *policy,
		 struct err *e)
{
	struct policy_reading r = { .policy = policy, .e = e };

	policy_init(policy);
	if (!count || count > POLICY_FILES_MAX)
		return err_set(e, ERR_INVALID, "%zu policies; 1 to %d", count, POLICY_FILES_MAX);
	if (read_files(&r, files, count) < 0) {
		policy_done(policy);
		return err_code(e);
	}
	return 0;
}

const char *policy_leaves_open_alone(const struct policy *policy)
{
	if (policy->has_tpm && tpm_policy_is_resettable(&policy->tpm))
		return "all registers that it names can be reset by software in the machine "
		       "(PCR 16, PCR 23): nothing is asked of what booted";
	return NULL;
}

const char *policy_leaves_open(const struct policy *policy)
{
	const bool tee = policy->has_snp || policy->has_tdx;

	if (tee && policy->run.azure_paravisor && !policy->has_tpm)
		return "the paravisor's measurement says nothing of what boots in it, and no "
		       "register is named (tpm.pcrs)";
	return tee && !policy->run.azure_paravisor ? NULL : policy_leaves_open_alone(policy);
}
