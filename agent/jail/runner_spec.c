/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner_spec.h"

#include "agent/wasm/wasm_runtime.h"
#include "common/base/log.h"

#include <string.h>

static int find_wasm(struct err *e)
{
	CLEANUP(free) char *path = NULL;

	return wasm_runtime_find(&path, e);
}

const char *runner_kind_name(enum runner_kind kind)
{
	static const char *const names[] = { [RUNNER_BIN] = "bin",
					     [RUNNER_PYTHON] = "python",
					     [RUNNER_WASM] = "wasm",
					     [RUNNER_DOCKER] = "docker" };
	_Static_assert(ARRAY_LEN(names) == RUNNER_KINDS, "one for each kind");

	return names[kind];
}

int runner_spec_kind(const char *word, enum runner_kind *kind, struct err *e)
{
	static const struct {
		const char *word;
		enum runner_kind kind;
	} rows[] = {
		{ "", RUNNER_BIN },      { "bin", RUNNER_BIN },       { "python", RUNNER_PYTHON },
		{ "wasm", RUNNER_WASM }, { "docker", RUNNER_DOCKER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(word ? word : "", rows[i].word) == 0) {
			*kind = rows[i].kind;
			return *kind == RUNNER_WASM ? find_wasm(e) : 0;
		}
	return err_set(e, ERR_INVALID, "algorithm type %s: use bin, python, wasm or docker",
		       log_quote(word).text);
}
