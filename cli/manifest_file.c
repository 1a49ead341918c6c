/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manifest_file.h"

#include "common/base/file.h"

int manifest_file_digests(const char *path, struct manifest_digests *digests, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(free) uint8_t *text = NULL;
	size_t len;

	if (file_read(path, MANIFEST_MAX, &text, &len, e) < 0 ||
	    manifest_from_json(text, len, &manifest, e) < 0 || manifest_check(manifest, e) < 0 ||
	    manifest_digest(manifest, digests, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}
