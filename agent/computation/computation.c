/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/computation.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_certs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int take_assets(struct computation *c, struct err *e)
{
	Cvms__ComputationRunReq *m = c->manifest;

	c->algorithm = (struct asset){ .hash = &m->algorithm->hash,
				       .key = &m->algorithm->userkey,
				       .name = "" };
	c->datasets = calloc(m->n_datasets ? m->n_datasets : 1, sizeof(*c->datasets));
	c->consumers =
		calloc(m->n_result_consumers ? m->n_result_consumers : 1, sizeof(*c->consumers));
	if (!c->datasets || !c->consumers)
		return err_nomem(e);
	c->dataset_count = m->n_datasets;
	c->consumer_count = m->n_result_consumers;
	for (size_t i = 0; i < m->n_datasets; i++)
		c->datasets[i] = (struct asset){ .hash = &m->datasets[i]->hash,
						 .key = &m->datasets[i]->userkey,
						 .name = m->datasets[i]->filename,
						 .decompress = m->datasets[i]->decompress,
						 .cache = manifest_is_cache(m->datasets[i]) };
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		struct consumer *consumer = &c->consumers[i];
		int failed;

		consumer->key = &m->result_consumers[i]->userkey;
		failed = key_fingerprint(consumer->key->data, consumer->key->len,
					 consumer->key_digest, e);
		if (failed)
			return failed;
	}
	return 0;
}

/* Not refused, since others beside them are valid; but somebody's client will be. */
static void note_dates(const struct agent_config *listener)
{
	struct err note;

	if (listener->client_ca &&
	    agent_certs_outdated("client_ca_file", listener->client_ca, &note))
		log_warn("agent_config: %s", note.text);
}

static int fill(struct computation *c, const struct agent_config_files *files, const char *dir,
		struct err *e)
{
	int failed = manifest_check(c->manifest, e);

	if (!failed)
		failed = agent_config_load(c->manifest->agent_config, files, &c->listener, e);
	if (!failed)
		failed = manifest_canonical(c->manifest, &c->canonical, &c->canonical_len, e);
	if (!failed)
		failed = manifest_digest(c->manifest, &c->digests, e);
	if (!failed)
		failed = take_assets(c, e);
	if (failed)
		return failed;
	note_dates(&c->listener);
	c->dir = strdup(dir);
	return c->dir ? 0 : err_nomem(e);
}

int computation_new(Cvms__ComputationRunReq *manifest, const struct agent_config_files *files,
		    const char *dir, struct computation **computation, struct err *e)
{
	CLEANUP(computation_unref) struct computation *c = calloc(1, sizeof(*c));
	int failed;

	if (!c) {
		manifest_free(manifest);
		return err_nomem(e);
	}
	c->refs = 1;
	c->manifest = manifest;
	failed = fill(c, files, dir, e);
	if (!failed)
		*computation = TAKE_PTR(c);
	return failed;
}

int computation_path(const struct computation *c, const char *name, char **path, struct err *e)
{
	return text_format(path, e, "%s/%s", c->dir, name);
}

int computation_make_dir(struct computation *c, struct err *e)
{
	/* The algorithm is nobody in its jail, so what it reads must be readable to all; what is
	 * above, and what is half uploaded, is ours alone. */
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {
		{ "uploads", 0700 }, { "datasets", 0755 }, { "cache", 0755 }, { "scratch", 0755 }
	};
	int failed = dir_remove(c->dir, e);

	if (!failed)
		failed = dir_make(c->dir, 0711, e);
	for (size_t i = 0; i < ARRAY_LEN(folders) && !failed; i++) {
		CLEANUP(free) char *path = NULL;

		failed = computation_path(c, folders[i].name, &path, e);
		if (!failed && mkdir(path, folders[i].mode) < 0)
			failed = err_errno(e, "make '%s'", path);
		if (!failed && chmod(path, folders[i].mode) < 0)
			failed = err_errno(e, "chmod '%s'", path);
	}
	return failed;
}

struct computation *computation_ref(struct computation *c)
{
	c->refs++;
	return c;
}

void computation_end(struct computation *c)
{
	c->over = true;
}

void computation_drop_algorithm(struct computation *c)
{
	for (char **arg = c->args; arg && *arg; arg++)
		free(*arg);
	free(TAKE_PTR(c->args));
	free(TAKE_PTR(c->runtime));
	requirement_wheels_done(&c->wheels);
	c->requirements = false;
}

void computation_unref(struct computation *c)
{
	if (!c || --c->refs > 0)
		return;
	manifest_free(c->manifest);
	agent_config_done(&c->listener);
	computation_drop_algorithm(c);
	transcript_done(&c->said);
	free(c->canonical);
	free(c->receipt);
	free(c->opened);
	free(c->datasets);
	free(c->consumers);
	free(c->dir);
	free(c);
}

struct manifest_place computation_place(const struct computation *c, const struct asset *dataset,
					const char *name, bool unpack)
{
	return manifest_place_of(manifest_layout(c->manifest), name, unpack || dataset->decompress,
				 dataset->cache);
}

const struct asset *computation_at_place(const struct computation *c,
					 const struct manifest_place *place,
					 const struct asset *but)
{
	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];
		const struct manifest_place its = computation_place(c, a, a->name, false);

		if (a != but && manifest_place_same(place, &its))
			return a;
	}
	return NULL;
}

bool computation_has_all_data(const struct computation *c)
{
	for (size_t i = 0; i < c->dataset_count; i++) {
		if (!c->datasets[i].received)
			return false;
	}
	return true;
}

bool computation_has_all_consumers(const struct computation *c)
{
	for (size_t i = 0; i < c->consumer_count; i++) {
		if (!c->consumers[i].fetched)
			return false;
	}
	return true;
}
