/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a manifest is one that an agent may run; declared in manifest.h and manifest_faults.h. */
#include "common/base/utf8.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_extension.h"
#include "common/manifest/manifest_faults.h"
#include "common/manifest/manifest_place.h"

#include <string.h>

#define PLACE     "manifest: datasets[%zu]"
#define ALGORITHM "manifest: algorithm"

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

static int judge(const ProtobufCBinaryData *spki, const struct manifest_keys *keys, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	return keys ? keys->judge(keys->data, spki, e)
		    : key_from_spki(spki->data, spki->len, &key, e);
}

static int user_key_check(const ProtobufCBinaryData *spki, const struct manifest_keys *keys,
			  struct err *e)
{
	if (spki->len == 0)
		return err_set(e, ERR_INVALID, "user_key: missing");
	if (spki->len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "user_key: %zu bytes, the limit is %d", spki->len,
			       SPKI_MAX);
	if (judge(spki, keys, e) < 0) {
		/* whatever else the code was, the manifest is at fault */
		if (e->code != ERR_EXHAUSTED)
			e->code = ERR_INVALID;
		return err_wrap(e, "user_key");
	}
	return 0;
}

static bool same_key(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* One key in many places is looked at once, at the first of them: for an RSA key that takes a tenth of a second and
 * more, if whoever chose it wants that. */
static int dataset_key_check(const Cvms__ComputationRunReq *m, size_t i,
			     const struct manifest_keys *keys, struct err *e)
{
	const ProtobufCBinaryData *key = &m->datasets[i]->userkey;

	for (size_t j = 0; key->len && j < i; j++)
		if (same_key(key, &m->datasets[j]->userkey))
			return 0;
	return user_key_check(key, keys, e);
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

static int filename_check(const char *name, struct err *e)
{
	return name[0] && manifest_filename_check(name, e) < 0 ? err_wrap(e, "filename") : 0;
}

static bool has_hash(const Cvms__Dataset *d)
{
	return d->hash.len == MANIFEST_HASH_LEN;
}

/* Named datasets differ in name, since they share a folder; nameless ones in content. */
static int same_check(const Cvms__Dataset *a, const Cvms__Dataset *b, size_t other, struct err *e)
{
	bool same_hash = has_hash(a) && has_hash(b) &&
			 memcmp(a->hash.data, b->hash.data, MANIFEST_HASH_LEN) == 0;

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

static int same_as_before(const Cvms__ComputationRunReq *m, size_t i, struct err *e)
{
	int failed = 0;

	for (size_t j = 0; j < i && !failed; j++)
		failed = same_check(m->datasets[i], m->datasets[j], j, e);
	return failed;
}

static int count_check(const char *what, size_t count, size_t max, struct err *e)
{
	if (count <= max)
		return 0;
	return err_set(e, ERR_INVALID, "%s: %zu of them, the limit is %zu", what, count, max);
}

static void datasets_check(const Cvms__ComputationRunReq *m, struct manifest_faults *f)
{
	MANIFEST_FAULT(f,
		       count_check("datasets", m->n_datasets, MANIFEST_DATASETS_MAX,
				   manifest_faults_next(f)),
		       "manifest");
	if (m->n_datasets > MANIFEST_DATASETS_MAX)
		return;
	for (size_t i = 0; i < m->n_datasets; i++) {
		const Cvms__Dataset *d = m->datasets[i];

		MANIFEST_FAULT(f, hash_check(&d->hash, manifest_faults_next(f)), PLACE, i);
		MANIFEST_FAULT(f, dataset_key_check(m, i, f->keys, manifest_faults_next(f)), PLACE,
			       i);
		MANIFEST_FAULT(f, filename_check(d->filename, manifest_faults_next(f)), PLACE, i);
		MANIFEST_FAULT(f, remote_check(d->source, d->kbs, manifest_faults_next(f)), PLACE,
			       i);
		MANIFEST_FAULT(f, same_as_before(m, i, manifest_faults_next(f)), PLACE, i);
	}
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

static int arg_check(const char *arg, size_t i, struct err *e)
{
	if (utf8_valid(arg, strlen(arg)))
		return 0;
	return err_set(e, ERR_INVALID, "algo_args[%zu]: not valid UTF-8, or a zero character", i);
}

static int args_size_check(const Cvms__Algorithm *a, struct err *e)
{
	size_t bytes = 0;

	for (size_t i = 0; i < a->n_algo_args; i++)
		bytes += strlen(a->algo_args[i]) + 1;
	if (bytes <= MANIFEST_ARG_BYTES_MAX)
		return 0;
	return err_set(e, ERR_INVALID, "algo_args: %zu bytes together, the limit is %d", bytes,
		       MANIFEST_ARG_BYTES_MAX);
}

static void args_check(const Cvms__Algorithm *a, struct manifest_faults *f)
{
	MANIFEST_FAULT(f,
		       count_check("algo_args", a->n_algo_args, MANIFEST_ARGS_MAX,
				   manifest_faults_next(f)),
		       ALGORITHM);
	if (a->n_algo_args > MANIFEST_ARGS_MAX)
		return;
	for (size_t i = 0; i < a->n_algo_args; i++)
		MANIFEST_FAULT(f, arg_check(a->algo_args[i], i, manifest_faults_next(f)),
			       ALGORITHM);
	MANIFEST_FAULT(f, args_size_check(a, manifest_faults_next(f)), ALGORITHM);
}

static int missing(const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: missing", what);
}

static void algorithm_check(const Cvms__Algorithm *a, struct manifest_faults *f)
{
	if (!a) {
		MANIFEST_FAULT(f, missing("algorithm", manifest_faults_next(f)), "manifest");
		return;
	}
	MANIFEST_FAULT(f, hash_check(&a->hash, manifest_faults_next(f)), ALGORITHM);
	MANIFEST_FAULT(f, user_key_check(&a->userkey, f->keys, manifest_faults_next(f)), ALGORITHM);
	MANIFEST_FAULT(f, algo_type_check(a->algo_type, manifest_faults_next(f)), ALGORITHM);
	args_check(a, f);
	MANIFEST_FAULT(f, remote_check(a->source, a->kbs, manifest_faults_next(f)), ALGORITHM);
}

static int consumer_check(const Cvms__ComputationRunReq *m, size_t i,
			  const struct manifest_keys *keys, struct err *e)
{
	const ProtobufCBinaryData *key = &m->result_consumers[i]->userkey;
	int failed = user_key_check(key, keys, e);

	for (size_t j = 0; j < i && !failed; j++) {
		const ProtobufCBinaryData *other = &m->result_consumers[j]->userkey;

		if (same_key(key, other))
			failed = err_set(e, ERR_INVALID, "user_key: that of result_consumers[%zu]",
					 j);
	}
	return failed;
}

static void consumers_check(const Cvms__ComputationRunReq *m, struct manifest_faults *f)
{
	MANIFEST_FAULT(f,
		       count_check("result_consumers", m->n_result_consumers,
				   MANIFEST_CONSUMERS_MAX, manifest_faults_next(f)),
		       "manifest");
	if (m->n_result_consumers > MANIFEST_CONSUMERS_MAX)
		return;
	for (size_t i = 0; i < m->n_result_consumers; i++)
		MANIFEST_FAULT(f, consumer_check(m, i, f->keys, manifest_faults_next(f)),
			       "manifest: result_consumers[%zu]", i);
}

/* It names files of who keeps what belongs to a computation. */
static int id_check(const char *id, struct err *e)
{
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_set(e, ERR_INVALID, "'%s' would name a folder", id);
	if (strchr(id, '/'))
		return err_set(e, ERR_INVALID, "'/' in it would name a folder");
	if (utf8_has_control(id, strlen(id)))
		return err_set(e, ERR_INVALID, "a control character in it");
	return 0;
}

static void texts_check(const Cvms__ComputationRunReq *m, struct manifest_faults *f)
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
		MANIFEST_FAULT(f, missing("id", manifest_faults_next(f)), "manifest");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		MANIFEST_FAULT(f,
			       length_check(texts[i].text, texts[i].max, manifest_faults_next(f)),
			       "manifest: %s", texts[i].what);
	if (utf8_valid(m->id, strlen(m->id)))
		MANIFEST_FAULT(f, id_check(m->id, manifest_faults_next(f)), "manifest: id");
}

bool manifest_check_all(const Cvms__ComputationRunReq *manifest, struct manifest_faults *faults)
{
	texts_check(manifest, faults);
	datasets_check(manifest, faults);
	algorithm_check(manifest->algorithm, faults);
	consumers_check(manifest, faults);
	manifest_extension_check(manifest, faults);
	/* What is compared by names takes no others, and no more of them. */
	if (manifest->n_datasets <= MANIFEST_DATASETS_MAX)
		manifest_places_check(manifest, faults);
	return !faults->count || faults->list[faults->count - 1].code != ERR_EXHAUSTED;
}

int manifest_check(const Cvms__ComputationRunReq *manifest, struct err *e)
{
	return manifest_check_by(manifest, NULL, e);
}

int manifest_check_by(const Cvms__ComputationRunReq *manifest, const struct manifest_keys *keys,
		      struct err *e)
{
	struct manifest_faults one = { .list = e, .room = 1, .keys = keys };

	(void)manifest_check_all(manifest, &one);
	return one.count ? err_code(e) : 0;
}

int manifest_key_parse(void *data, const ProtobufCBinaryData *spki, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	(void)data;
	return key_parse_spki(spki->data, spki->len, &key, e);
}

int manifest_key_kept(void *data, const ProtobufCBinaryData *spki, struct err *e)
{
	return 0;
}

const ProtobufCBinaryData *manifest_key_at(const Cvms__ComputationRunReq *manifest, size_t i)
{
	if (manifest->algorithm && i-- == 0)
		return &manifest->algorithm->userkey;
	if (i < manifest->n_datasets)
		return &manifest->datasets[i]->userkey;
	i -= manifest->n_datasets;
	return i < manifest->n_result_consumers ? &manifest->result_consumers[i]->userkey : NULL;
}
