/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner_spec.h"

#include "common/base/log.h"

#include <string.h>

int runner_spec_kind(const char *word, enum runner_kind *kind, struct err *e)
{
	if (!word || !word[0] || strcmp(word, "bin") == 0)
		*kind = RUNNER_BIN;
	else if (strcmp(word, "python") == 0)
		*kind = RUNNER_PYTHON;
	else if (strcmp(word, "wasm") == 0 || strcmp(word, "docker") == 0)
		return err_set(e, ERR_UNIMPLEMENTED, "algorithm type %s cannot be run yet", word);
	else
		return err_set(e, ERR_INVALID, "algorithm type %s: use bin or python",
			       log_quote(word).text);
	return 0;
}
