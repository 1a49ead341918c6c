/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_runtime.h — where the program that runs WebAssembly is: cocos-wasm, beside the agent's own.
 * It is there where libwasmedge was when the agent was built.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>

/* Fails with ERR_UNIMPLEMENTED and the remedy. `path` is to be freed. */
int wasm_runtime_find(char **path, struct err *e) MUST_CHECK;
