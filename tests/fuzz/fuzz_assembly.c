/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of manifests in any order: input is {id, flags, length, bytes}… */
#include "agent/core/assembly.h"
#include "common/base/cleanup.h"
#include "common/base/reader.h"
#include "common/manifest/manifest.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct assembly a;

	assembly_init(&a);
	while (reader_left(&r) >= 4) {
		Cvms__RunReqChunks chunk = CVMS__RUN_REQ_CHUNKS__INIT;
		char id[2] = { (char)('a' + reader_u8(&r) % 20) };
		uint8_t flags = reader_u8(&r);
		size_t want = reader_be16(&r), left = reader_left(&r);
		CLEANUP(free) uint8_t *manifest = NULL;
		size_t out = 0;
		bool complete;
		struct err e;

		chunk.id = id;
		chunk.is_last = flags & 1;
		chunk.data.len = want < left ? want : left;
		chunk.data.data = (uint8_t *)reader_take(&r, chunk.data.len);
		if (assembly_add(&a, &chunk, &complete, &manifest, &out, &e) < 0)
			assert(!complete && e.text[0]);
		assert(!complete || (out > 0 && out <= MANIFEST_MAX));
		assert(a.spoiled_count <= ASSEMBLY_SPOILED_MAX);
		if (complete && flags & 2)
			assembly_forgive(&a);
		if (flags & 4)
			assembly_reset(&a);
	}
	assembly_reset(&a);
	return 0;
}
