/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_place.h"

#include "common/manifest/manifest_faults.h"

#include <string.h>
#include <strings.h>

/* The name without .zip, if what is left is a name. */
static size_t stem_of(const char *name)
{
	size_t len = strlen(name);
	size_t stem = len > 4 && strcasecmp(name + len - 4, ".zip") == 0 ? len - 4 : len;

	return strspn(name, ".") < stem ? stem : len; /* neither "." nor ".." */
}

bool manifest_is_cache(const Cvms__Dataset *dataset)
{
	return dataset->cache || strcmp(dataset->filename, MANIFEST_CACHE_NAME) == 0;
}

struct manifest_place manifest_place_of(enum manifest_layout layout, const char *name, bool unpack,
					bool cache)
{
	struct manifest_place place = { .kind = MANIFEST_PLACE_FILE };
	size_t len = strlen(name);

	if (cache)
		place.kind = MANIFEST_PLACE_CACHE;
	else if (unpack && layout == MANIFEST_LAYOUT_STOCK)
		place.kind = MANIFEST_PLACE_UNION;
	else if (unpack)
		place.kind = MANIFEST_PLACE_FOLDER;
	if (place.kind == MANIFEST_PLACE_FOLDER)
		len = stem_of(name);
	if (place.kind == MANIFEST_PLACE_FILE || place.kind == MANIFEST_PLACE_FOLDER)
		memcpy(place.name, name, len < sizeof(place.name) ? len : sizeof(place.name) - 1);
	return place;
}

bool manifest_place_same(const struct manifest_place *a, const struct manifest_place *b)
{
	return a->name[0] && strcmp(a->name, b->name) == 0;
}

static struct manifest_place place_at(const Cvms__ComputationRunReq *m, size_t i)
{
	const Cvms__Dataset *d = m->datasets[i];

	return manifest_place_of(manifest_layout(m), d->filename, d->decompress,
				 manifest_is_cache(d));
}

static int place_check(const Cvms__ComputationRunReq *m, size_t i, struct err *e)
{
	const struct manifest_place place = place_at(m, i);

	for (size_t j = 0; j < i; j++) {
		const struct manifest_place other = place_at(m, j);

		/* The same name is told by it. */
		if (manifest_place_same(&place, &other) &&
		    strcmp(m->datasets[i]->filename, m->datasets[j]->filename) != 0)
			return err_set(e, ERR_INVALID,
				       "datasets[%zu]: filename: '%s' lies in datasets/%s, as '%s' "
				       "of datasets[%zu] does: give one another name",
				       i, m->datasets[i]->filename, place.name,
				       m->datasets[j]->filename, j);
	}
	return 0;
}

void manifest_places_check(const Cvms__ComputationRunReq *manifest, struct manifest_faults *faults)
{
	for (size_t i = 0; i < manifest->n_datasets; i++)
		MANIFEST_FAULT(faults, place_check(manifest, i, manifest_faults_next(faults)),
			       "manifest");
}
