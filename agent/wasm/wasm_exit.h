/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_exit.h — how cocos-wasm ends: its exit code is the module's own up to WASM_EXIT_MODULE_MAX,
 * and above that says why the module did not come to an end of its own.
 *
 * The agent reads the code alone: what the module prints is the module's word, this is the runtime's.
 */
#pragma once

enum wasm_exit {
	WASM_EXIT_MODULE_MAX = 125, /* as other runtimes have it: shells use what is above */
	WASM_EXIT_RUNTIME = 200,
	WASM_EXIT_BYTES,
	WASM_EXIT_COMPONENT,
	WASM_EXIT_MODULE,
	WASM_EXIT_IMPORT,
	WASM_EXIT_PROGRAM,
	WASM_EXIT_MEMORY,
	WASM_EXIT_LINK,
	WASM_EXIT_CODE,
	WASM_EXIT_UNREACHABLE,
	WASM_EXIT_BOUNDS,
	WASM_EXIT_ARITHMETIC,
	WASM_EXIT_CALL,
	WASM_EXIT_TRAP,
};

/* One line for people; NULL for a code of the module's own. */
const char *wasm_exit_text(int code);
