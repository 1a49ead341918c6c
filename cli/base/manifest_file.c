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

bool manifest_file_judge_all(Cvms__ComputationRunReq *manifest, struct manifest_faults *faults)
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

	(void)manifest_file_judge_all(manifest, &one);
	return one.count ? err_code(e) : 0;
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
