/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/manifest_file.h"

#include "common/base/file.h"

int manifest_file_any(const char *path, struct manifest_digests *digests, bool *fit,
		      struct err *unfit, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(free) uint8_t *text = NULL;
	size_t len;

	if (file_read(path, MANIFEST_MAX, &text, &len, e) < 0 ||
	    manifest_from_json(text, len, &manifest, e) < 0 ||
	    manifest_digest(manifest, digests, e) < 0)
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
