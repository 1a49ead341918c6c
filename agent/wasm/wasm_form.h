/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_form.h — what of a module can be told from its bytes alone, without the runtime: before it is
 * run, and before anybody sends data for it.
 *
 * Nothing is refused that the runtime would take: the order of sections it does not ask for, and what
 * is in them, but for names, is its to judge.
 */
#pragma once

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WASM_MODULE_MAX = 64 << 20 };

/* The module that functions of WASI preview 1 are imported from. */
#define WASM_WASI "wasi_snapshot_preview1"

/* Its first eight bytes: a core module, a component, or neither. 0 or an exit code (wasm_exit.h). */
int wasm_form_check_bytes(const uint8_t *bytes, size_t len);

/* A function of WASI preview 1, by its name. */
bool wasm_form_is_wasi(const void *name, size_t len);

/* A core module whose sections fill the file, none twice; that imports functions of WASI preview 1 alone,
 * and exports a function _start and a memory. ERR_INVALID with what is wrong; ERR_CANCELLED with `cancel`
 * true (NULL: never). */
int wasm_form_judge(const uint8_t *bytes, size_t len, const atomic_bool *cancel,
		    struct err *e) MUST_CHECK;

/* The same of a file, of at most WASM_MODULE_MAX bytes, that nobody writes to. */
int wasm_form_judge_file(const char *path, const atomic_bool *cancel, struct err *e) MUST_CHECK;
