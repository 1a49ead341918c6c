/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_module.h — whether a module is a program for WASI preview 1, before anything of it runs.
 */
#pragma once

#include "agent/wasm/wasm_exit.h"

#include <stddef.h>
#include <stdint.h>
#include <wasmedge/wasmedge.h>

enum { WASM_MODULE_MAX = 64 << 20 };

/* Its first eight bytes: a core module, a component, or neither. 0 or an exit code. */
int wasm_module_check_bytes(const uint8_t *bytes, size_t len);

/* Imports are functions of WASI preview 1 alone, by name; there are _start and memory, and that
 * begins with at most `pages`. 0 or an exit code; what is wrong is said on stderr. */
int wasm_module_check(const WasmEdge_ASTModuleContext *module, uint32_t pages);
