/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_extension.h"

#include "common/manifest/manifest.h"
#include "common/manifest/manifest_faults.h"

#include <string.h>

/* By its number; the empty word is the first, which a stock manifest means. */
static const char *const layouts[] = {
	[MANIFEST_LAYOUT_STOCK] = "stock",
	[MANIFEST_LAYOUT_FOLDERS] = "folders",
};
static const char *const logs[] = {
	[MANIFEST_LOGS_ALL] = "all",
	[MANIFEST_LOGS_CONSUMERS] = "consumers",
	[MANIFEST_LOGS_PROVIDER] = "provider",
};

static bool word_find(const char *const *words, size_t count, const char *word, size_t *found)
{
	size_t i = 0;

	while (*word && i < count && strcmp(words[i], word) != 0)
		i++;
	if (*word && i == count)
		return false;
	*found = i;
	return true;
}

enum manifest_layout manifest_layout(const Cvms__ComputationRunReq *manifest)
{
	size_t found = MANIFEST_LAYOUT_STOCK;

	if (manifest->cocos)
		(void)word_find(layouts, ARRAY_LEN(layouts), manifest->cocos->layout, &found);
	return (enum manifest_layout)found;
}

enum manifest_logs manifest_logs(const Cvms__ComputationRunReq *manifest)
{
	size_t found = MANIFEST_LOGS_ALL;

	if (manifest->cocos)
		(void)word_find(logs, ARRAY_LEN(logs), manifest->cocos->logs, &found);
	return (enum manifest_logs)found;
}

bool manifest_may_replace(const Cvms__ComputationRunReq *manifest)
{
	return manifest->cocos && manifest->cocos->replace;
}

const uint8_t *manifest_requirements_hash(const Cvms__ComputationRunReq *manifest)
{
	if (!manifest->cocos || !manifest->cocos->requirements_hash.len)
		return NULL;
	return manifest->cocos->requirements_hash.data;
}

/* Asked for and not done would be worse than refused: who allowed `logs` consumers counts on it. */
static int offered_check(const Cvms__ComputationRunReq *manifest, struct err *e)
{
	const struct {
		const char *what, *instead;
		bool asked;
	} missing[] = {
		{ "cocos: replace", "run it again, for which owners can let data be kept",
		  manifest_may_replace(manifest) },
	};

	for (size_t i = 0; i < ARRAY_LEN(missing); i++)
		if (missing[i].asked)
			return err_set(e, ERR_UNIMPLEMENTED, "%s: not offered by this build; %s",
				       missing[i].what, missing[i].instead);
	return 0;
}

static int word_check(const char *what, const char *word, const char *const *words, size_t count,
		      const char *known, struct err *e)
{
	size_t found;

	if (word_find(words, count, word, &found))
		return 0;
	return err_set(e, ERR_INVALID, "cocos: %s: '%.32s' is not one of %s", what, word, known);
}

static int requirements_check(const Cvms__Extension *x, struct err *e)
{
	if (!x->requirements_hash.len || x->requirements_hash.len == MANIFEST_HASH_LEN)
		return 0;
	return err_set(e, ERR_INVALID, "cocos: requirements_hash: %zu bytes, a SHA3-256 has %d",
		       x->requirements_hash.len, MANIFEST_HASH_LEN);
}

void manifest_extension_check(const Cvms__ComputationRunReq *manifest,
			      struct manifest_faults *faults)
{
	const Cvms__Extension *x = manifest->cocos;

	if (x) {
		MANIFEST_FAULT(faults,
			       word_check("layout", x->layout, layouts, ARRAY_LEN(layouts),
					  "folders, stock", manifest_faults_next(faults)),
			       "manifest");
		MANIFEST_FAULT(faults,
			       word_check("logs", x->logs, logs, ARRAY_LEN(logs),
					  "consumers, provider, all", manifest_faults_next(faults)),
			       "manifest");
		MANIFEST_FAULT(faults, requirements_check(x, manifest_faults_next(faults)),
			       "manifest");
	}
	MANIFEST_FAULT(faults, offered_check(manifest, manifest_faults_next(faults)), "manifest");
}
