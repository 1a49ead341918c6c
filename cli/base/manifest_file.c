/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/manifest_file.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/manifest/agent_config.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* The key that gives an older form away, in a manifest or in one of its assets. */
static const char *older_key(const struct json *root)
{
	static const char *const keys[] = { "owner", "provider", "start_time", "end_time" };
	const struct json *datasets = json_get(root, "datasets");
	const struct json *algorithm = json_get(root, "algorithm");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_get(root, keys[i]) || json_get(algorithm, keys[i]))
			return keys[i];
	for (size_t n = 0; datasets && datasets->type == JSON_ARRAY && n < datasets->count; n++)
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (json_get(&datasets->items[n], keys[i]))
				return keys[i];
	return NULL;
}

/* Manifests of a backend's own, in which ids stand for people and assets: who is meant only that
 * backend knows, and keys can't be made of ids. */
static int refuse_older_form(const uint8_t *text, size_t len, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const struct json *consumers;
	const char *older;
	struct err unread;

	if (json_parse(text, len, &root, &unread) < 0)
		return 0;
	if (root->type == JSON_ARRAY)
		return err_set(
			e, ERR_INVALID,
			"a list, as exports of computations are: 'cocos-cli computation import' "
			"takes it; or make a manifest of one of them, with user_key "
			"(cocos-cli(1), MANIFESTS)");
	consumers = json_get(root, "result_consumers");
	older = older_key(root);
	if (older)
		return err_set(e, ERR_INVALID,
			       "'%s': an older form, in which ids stand for people; here they are "
			       "named by their keys: 'cocos-cli computation import' takes it, or "
			       "make it anew with user_key (cocos-cli(1), MANIFESTS)",
			       older);
	if (consumers && consumers->type == JSON_ARRAY && consumers->count &&
	    consumers->items[0].type == JSON_STRING)
		return err_set(e, ERR_INVALID,
			       "'result_consumers': an older form, in which ids stand for people; "
			       "here it is [{\"user_key\": …}] (cocos-cli(1), MANIFESTS)");
	return 0;
}

int manifest_file_text(const char *path, uint8_t **text, size_t *len, struct err *e)
{
	if (file_read(path, MANIFEST_MAX, text, len, e) < 0)
		return err_code(e);
	if (refuse_older_form(*text, *len, e) == 0)
		return 0;
	explicit_bzero(*text, *len);
	free(*text);
	*text = NULL;
	return err_wrap(e, "'%s'", path);
}

int manifest_file_read(const char *path, Cvms__ComputationRunReq **manifest, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len;
	int failed;

	if (manifest_file_text(path, &text, &len, e) < 0)
		return err_code(e);
	failed = manifest_from_json(text, len, manifest, e);
	explicit_bzero(text, len); /* the agent's private key may be there */
	return failed ? err_wrap(e, "'%s'", path) : 0;
}

/* All that an agent has against it. False: it can't be said; the last of the list says why. */
static bool judge_all(Cvms__ComputationRunReq *manifest, struct manifest_faults *faults)
{
	char some[] = "-", *id = manifest->id;
	bool done;

	if (!*id)
		manifest->id = some;
	done = manifest_check_all(manifest, faults);
	manifest->id = id;
	return done && agent_config_check_all(manifest->agent_config, faults);
}

int manifest_file_judge(Cvms__ComputationRunReq *manifest, struct err *e)
{
	struct manifest_faults one = { .list = e, .room = 1 };

	(void)judge_all(manifest, &one);
	return one.count ? err_code(e) : 0;
}

/* What could not be read is empty, and is not told of again as missing. */
static bool is_echo(const struct err *fault, const struct err *read, size_t count)
{
	static const char *const members[] = { ": hash: ", ": user_key: " };

	for (size_t m = 0; m < ARRAY_LEN(members); m++) {
		const char *at = strstr(fault->text, members[m]);
		size_t len = at ? (size_t)(at - fault->text) + strlen(members[m]) : 0;

		for (size_t i = 0; at && i < count; i++)
			if (strncmp(fault->text, read[i].text, len) == 0)
				return true;
	}
	return false;
}

static void drop_echoes(struct manifest_faults *faults, size_t read)
{
	size_t kept = read;

	for (size_t i = read; i < faults->count; i++)
		if (!is_echo(&faults->list[i], faults->list, read))
			faults->list[kept++] = faults->list[i];
	faults->count = kept;
}

int manifest_file_read_all(const char *path, Cvms__ComputationRunReq **manifest,
			   struct manifest_faults *faults, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len, read;
	int failed;

	if (manifest_file_text(path, &text, &len, e) < 0)
		return err_code(e);
	failed = manifest_from_json_all(text, len, faults, manifest, e);
	explicit_bzero(text, len);
	if (failed)
		return err_wrap(e, "'%s'", path);
	read = faults->count;
	if (read < faults->room && !judge_all(*manifest, faults)) {
		*e = faults->list[faults->count - 1];
		return err_code(e);
	}
	drop_echoes(faults, read);
	return 0;
}

int manifest_file_any(const char *path, struct manifest_digests *digests, bool *fit,
		      struct err *unfit, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	if (manifest_file_read(path, &manifest, e) < 0)
		return err_code(e);
	if (manifest_digest(manifest, digests, e) < 0)
		return err_wrap(e, "'%s'", path);
	*fit = manifest_check(manifest, unfit) == 0;
	return 0;
}

int manifest_file_digests(const char *path, struct manifest_digests *digests, struct err *e)
{
	struct err unfit;
	bool fit;

	if (manifest_file_any(path, digests, &fit, &unfit, e) < 0)
		return err_code(e);
	if (fit)
		return 0;
	*e = unfit;
	return err_wrap(e, "'%s'", path);
}
