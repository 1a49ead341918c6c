/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a manifest is one that an agent may run; declared in manifest.h. */
#include "common/base/utf8.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_extension.h"
#include "common/manifest/manifest_place.h"

#include <string.h>

static int length_check(const char *text, size_t max, struct err *e)
{
	size_t len = strlen(text);

	if (len > max)
		return err_set(e, ERR_INVALID, "%zu bytes, the limit is %zu", len, max);
	if (!utf8_valid(text, len))
		return err_set(e, ERR_INVALID, "not valid UTF-8, or a zero character");
	return 0;
}

int manifest_filename_check(const char *name, struct err *e)
{
	size_t len = strlen(name);

	if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_INVALID, "'%s' is not a plain file name", name);
	if (len > MANIFEST_FILENAME_MAX)
		return err_set(e, ERR_INVALID, "a file name of %zu bytes, the limit is %d", len,
			       MANIFEST_FILENAME_MAX);
	if (!utf8_valid(name, len))
		return err_set(e, ERR_INVALID, "a file name that is not valid UTF-8");
	if (strchr(name, '/'))
		return err_set(e, ERR_INVALID, "a file name with '/' in it: '%s'", name);
	if (utf8_has_control(name, len))
		return err_set(e, ERR_INVALID, "a file name with a control character");
	return 0;
}

static int hash_check(const ProtobufCBinaryData *hash, struct err *e)
{
	if (hash->len != MANIFEST_HASH_LEN)
		return err_set(e, ERR_INVALID, "hash: %zu bytes, a SHA3-256 has %d", hash->len,
			       MANIFEST_HASH_LEN);
	return 0;
}

static int user_key_check(const ProtobufCBinaryData *spki, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (spki->len == 0)
		return err_set(e, ERR_INVALID, "user_key: missing");
	if (spki->len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "user_key: %zu bytes, the limit is %d", spki->len,
			       SPKI_MAX);
	if (key_from_spki(spki->data, spki->len, &key, e) < 0) {
		/* whatever else the code was, the manifest is at fault */
		if (e->code != ERR_EXHAUSTED)
			e->code = ERR_INVALID;
		return err_wrap(e, "user_key");
	}
	return 0;
}

/* An empty object means nothing; stock backends send such objects. */
static int remote_check(const Cvms__Source *source, const Cvms__KBSConfig *kbs, struct err *e)
{
	if (source && (source->type[0] || source->url[0] || source->kbs_resource_path[0] ||
		       source->encrypted))
		return err_set(e, ERR_UNIMPLEMENTED,
			       "source: this build takes assets by upload only, not from "
			       "a remote source");
	if (kbs && kbs->enabled)
		return err_set(e, ERR_UNIMPLEMENTED,
			       "kbs: this build asks no key broker; upload the asset instead");
	return 0;
}

static int dataset_check(const Cvms__Dataset *dataset, struct err *e)
{
	int failed = hash_check(&dataset->hash, e);

	if (!failed)
		failed = user_key_check(&dataset->userkey, e);
	if (!failed && dataset->filename[0] && manifest_filename_check(dataset->filename, e) < 0)
		failed = err_wrap(e, "filename");
	if (!failed)
		failed = remote_check(dataset->source, dataset->kbs, e);
	return failed;
}

/* Named datasets differ in name, since they share a folder; nameless ones in content. */
static int same_check(const Cvms__Dataset *a, const Cvms__Dataset *b, size_t other, struct err *e)
{
	bool same_hash = memcmp(a->hash.data, b->hash.data, MANIFEST_HASH_LEN) == 0;

	if (strcmp(a->filename, b->filename) != 0)
		return 0;
	if (same_hash)
		return err_set(e, ERR_INVALID, "digest and file name are those of datasets[%zu]",
			       other);
	if (a->filename[0])
		return err_set(e, ERR_INVALID, "filename: '%s' is the name of datasets[%zu] too",
			       a->filename, other);
	return 0;
}

static int datasets_check(const Cvms__ComputationRunReq *m, struct err *e)
{
	if (m->n_datasets > MANIFEST_DATASETS_MAX)
		return err_set(e, ERR_INVALID, "datasets: %zu of them, the limit is %d",
			       m->n_datasets, MANIFEST_DATASETS_MAX);
	for (size_t i = 0; i < m->n_datasets; i++) {
		int failed = dataset_check(m->datasets[i], e);

		for (size_t j = 0; j < i && !failed; j++)
			failed = same_check(m->datasets[i], m->datasets[j], j, e);
		if (failed)
			return err_wrap(e, "datasets[%zu]", i);
	}
	return 0;
}

static int algo_type_check(const char *type, struct err *e)
{
	static const char *const known[] = { "", "bin", "python", "wasm", "docker" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(type, known[i]) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "algo_type: '%.32s' is not one of bin, python, wasm, docker",
		       type);
}

static int args_check(const Cvms__Algorithm *algorithm, struct err *e)
{
	size_t bytes = 0;

	if (algorithm->n_algo_args > MANIFEST_ARGS_MAX)
		return err_set(e, ERR_INVALID, "algo_args: %zu of them, the limit is %d",
			       algorithm->n_algo_args, MANIFEST_ARGS_MAX);
	for (size_t i = 0; i < algorithm->n_algo_args; i++) {
		const char *arg = algorithm->algo_args[i];

		bytes += strlen(arg) + 1;
		if (!utf8_valid(arg, strlen(arg)))
			return err_set(e, ERR_INVALID,
				       "algo_args[%zu]: not valid UTF-8, or a zero character", i);
	}
	if (bytes > MANIFEST_ARG_BYTES_MAX)
		return err_set(e, ERR_INVALID, "algo_args: %zu bytes together, the limit is %d",
			       bytes, MANIFEST_ARG_BYTES_MAX);
	return 0;
}

static int algorithm_check(const Cvms__Algorithm *algorithm, struct err *e)
{
	int failed;

	if (!algorithm)
		return err_set(e, ERR_INVALID, "algorithm: missing");
	failed = hash_check(&algorithm->hash, e);
	if (!failed)
		failed = user_key_check(&algorithm->userkey, e);
	if (!failed)
		failed = algo_type_check(algorithm->algo_type, e);
	if (!failed)
		failed = args_check(algorithm, e);
	if (!failed)
		failed = remote_check(algorithm->source, algorithm->kbs, e);
	return failed ? err_wrap(e, "algorithm") : 0;
}

static int consumers_check(const Cvms__ComputationRunReq *m, struct err *e)
{
	if (m->n_result_consumers > MANIFEST_CONSUMERS_MAX)
		return err_set(e, ERR_INVALID, "result_consumers: %zu of them, the limit is %d",
			       m->n_result_consumers, MANIFEST_CONSUMERS_MAX);
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		const ProtobufCBinaryData *key = &m->result_consumers[i]->userkey;
		int failed = user_key_check(key, e);

		for (size_t j = 0; j < i && !failed; j++) {
			const ProtobufCBinaryData *other = &m->result_consumers[j]->userkey;

			if (key->len == other->len && memcmp(key->data, other->data, key->len) == 0)
				failed = err_set(e, ERR_INVALID,
						 "user_key: that of result_consumers[%zu]", j);
		}
		if (failed)
			return err_wrap(e, "result_consumers[%zu]", i);
	}
	return 0;
}

static int texts_check(const Cvms__ComputationRunReq *m, struct err *e)
{
	const struct {
		const char *what, *text;
		size_t max;
	} texts[] = {
		{ "id", m->id, MANIFEST_ID_MAX },
		{ "name", m->name, MANIFEST_NAME_MAX },
		{ "description", m->description, MANIFEST_DESCRIPTION_MAX },
	};

	if (!m->id[0])
		return err_set(e, ERR_INVALID, "id: missing");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (length_check(texts[i].text, texts[i].max, e) < 0)
			return err_wrap(e, "%s", texts[i].what);
	}
	return 0;
}

int manifest_check(const Cvms__ComputationRunReq *manifest, struct err *e)
{
	int failed = texts_check(manifest, e);

	if (!failed)
		failed = datasets_check(manifest, e);
	if (!failed)
		failed = algorithm_check(manifest->algorithm, e);
	if (!failed)
		failed = consumers_check(manifest, e);
	if (!failed)
		failed = manifest_extension_check(manifest, e);
	if (!failed)
		failed = manifest_places_check(manifest, e);
	return failed ? err_wrap(e, "manifest") : 0;
}
