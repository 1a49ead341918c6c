/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wasm/wasm_exit.h"

#include "common/base/cleanup.h"

#include <stddef.h>

static const struct {
	enum wasm_exit code;
	const char *text;
} rows[] = {
	{ WASM_EXIT_RUNTIME, "the WebAssembly runtime could not be set up" },
	{ WASM_EXIT_BYTES, "no WebAssembly module, or one over 64 MiB" },
	{ WASM_EXIT_COMPONENT,
	  "a WebAssembly component; compile for WASI preview 1 (wasm32-wasip1)" },
	{ WASM_EXIT_MODULE, "a malformed or invalid WebAssembly module" },
	{ WASM_EXIT_IMPORT, "the module imports what is not WASI preview 1 (see the log)" },
	{ WASM_EXIT_PROGRAM,
	  "the module is no program: it exports no memory, or no function _start without parameters "
	  "and results" },
	{ WASM_EXIT_MEMORY, "the module's memory begins larger than the run's (AGENT_RUN_MEMORY)" },
	{ WASM_EXIT_LINK, "the module cannot be linked with WASI preview 1" },
	{ WASM_EXIT_CODE, "the module ended with an exit code over 125" },
	{ WASM_EXIT_UNREACHABLE, "trap: unreachable code (an abort, a panic, a failed assertion)" },
	{ WASM_EXIT_BOUNDS, "trap: memory or table accessed out of bounds" },
	{ WASM_EXIT_ARITHMETIC, "trap: division by zero, or a number out of range" },
	{ WASM_EXIT_CALL, "trap: an indirect call of no function, or of one of another type" },
	{ WASM_EXIT_TRAP, "trap" },
};

const char *wasm_exit_text(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((int)rows[i].code == code)
			return rows[i].text;
	return NULL;
}
