/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_module.h — whether a module is a program for WASI preview 1, before anything of it runs.
 */
#pragma once

#include "agent/wasm/wasm_exit.h"

#include <stdint.h>
#include <wasmedge/wasmedge.h>

/* Imports are functions of WASI preview 1 alone, by name; there are _start and memory, and that
 * begins with at most `pages`. 0 or an exit code; what is wrong is said on stderr. */
int wasm_module_check(const WasmEdge_ASTModuleContext *module, uint32_t pages);
