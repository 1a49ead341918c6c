/* SPDX-License-Identifier: Apache-2.0 */
/* What decodes can be checked, written as canonical text, and packed to something that decodes. */
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_faults.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL, *again = NULL;
	CLEANUP(free) uint8_t *wire = NULL;
	CLEANUP(free) char *text = NULL;
	struct manifest_digests digests;
	size_t out;
	struct err e;

	if (manifest_decode(bytes, len, &m, &e) < 0)
		return 0;
	struct err list[4];
	struct manifest_faults faults = { .list = list, .room = 4 };

	assert(manifest_check_all(m, &faults));
	assert((manifest_check(m, &e) == 0) == (faults.count == 0));
	assert(!faults.count || strcmp(e.text, list[0].text) == 0);
	if (faults.count == 0) {
		assert(manifest_canonical(m, &text, &out, &e) == 0);
		assert(manifest_digest(m, &digests, &e) == 0);
	}
	assert(manifest_encode(m, &wire, &out, &e) == 0);
	assert(out > MANIFEST_MAX || manifest_decode(wire, out, &again, &e) == 0);
	return 0;
}
