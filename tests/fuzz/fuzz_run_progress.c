/* SPDX-License-Identifier: Apache-2.0 */
/* What two reports of an agent say, one after the other, of how far it is. */
#include "computations/core/run_progress.h"
#include "computations/store/store.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const Cvms__Progress *p)
{
	assert(*p->computation_id && strlen(p->computation_id) <= STORE_ID_MAX);
	assert(p->n_uploads <= MANIFEST_DATASETS_MAX + 1);
	for (size_t i = 0; i < p->n_uploads; i++) {
		const Cvms__UploadProgress *u = p->uploads[i];

		assert(u->asset <= MANIFEST_DATASETS_MAX && u->received <= RUN_PROGRESS_MAX);
		assert(!i || u->asset > p->uploads[i - 1]->asset);
		assert(!u->expected || u->received <= u->expected);
	}
	assert(!p->run || p->run->memory_mib <= p->run->memory_peak_mib);
	assert(!p->run || p->run->processor_seconds <= RUN_PROGRESS_MAX);
}

static bool is_taken(const Cvms__Progress *said, const Cvms__Progress *before)
{
	struct err e = { 0 };

	if (run_progress_check(said, before, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return false;
	}
	check(said);
	return true;
}

/* The first byte: how long the first report is. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const size_t rest = len ? len - 1 : 0, first = len && bytes[0] < rest ? bytes[0] : rest;
	Cvms__Progress *before = len ? cvms__progress__unpack(NULL, first, bytes + 1) : NULL;
	Cvms__Progress *said =
		len ? cvms__progress__unpack(NULL, rest - first, bytes + 1 + first) : NULL;
	const bool had = before && is_taken(before, NULL);

	if (said && is_taken(said, had ? before : NULL) && had && said->run && before->run &&
	    said->attempt == before->attempt &&
	    strcmp(said->computation_id, before->computation_id) == 0)
		assert(said->run->processor_seconds >= before->run->processor_seconds &&
		       said->run->memory_peak_mib >= before->run->memory_peak_mib);
	if (before)
		cvms__progress__free_unpacked(before, NULL);
	if (said)
		cvms__progress__free_unpacked(said, NULL);
	return 0;
}
