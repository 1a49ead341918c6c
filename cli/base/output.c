/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/output.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

int output_write(const struct cli *cli, const char *path, const void *bytes, size_t len,
		 struct err *e)
{
	if (path && strcmp(path, "-") != 0)
		return file_write(path, bytes, len, 0644, e);
	if (fwrite(bytes, 1, len, cli->out) != len)
		return err_errno(e, "standard output");
	return 0;
}

int output_digest(const struct cli *cli, const uint8_t *bytes, size_t len, bool base64,
		  struct err *e)
{
	CLEANUP(free) char *text = base64 ? base64_encode(bytes, len) : malloc(2 * len + 1);

	if (!text)
		return err_nomem(e);
	if (!base64)
		hex_encode(bytes, len, text);
	fprintf(cli->out, "%s\n", text);
	return 0;
}
