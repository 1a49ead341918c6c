/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm_labels.h — what clients call their CVMs: a name, and labels that say more.
 *
 * Labels are kept in one text, "key=value,key=value", sorted by key, each key once. A name is 1 to
 * CVM_NAME_MAX lower-case letters, digits, '-' and '.', a letter or digit at both ends, and has not the
 * form of a CVM's id; a key the same with '_' and '/' inside; a value at most CVM_LABEL_VALUE_MAX letters,
 * digits and "-._/:@+", or nothing.
 */
#pragma once

#include "common/base/err.h"
#include "manager.pb-c.h"

#include <stdbool.h>

enum {
	CVM_NAME_MAX = 63,
	CVM_LABEL_KEY_MAX = 63,
	CVM_LABEL_VALUE_MAX = 63,
	CVM_LABELS_COUNT_MAX = 16,
	CVM_LABELS_MAX = 512, /* bytes of them all, in one text */
};

/* ERR_INVALID for what is no name; an empty one is none given, and fine. */
int cvm_name_check(const char *name, struct err *e) MUST_CHECK;

/* In any order; refused are a key that comes twice, too many, and too much. */
int cvm_labels_make(Manager__Label *const *labels, size_t count, char out[CVM_LABELS_MAX + 1],
		    struct err *e) MUST_CHECK;

/* Whether a text is one that cvm_labels_make() gives. */
bool cvm_labels_are_valid(const char *text);

/* Whether all of `some` are among `labels`, both texts of cvm_labels_make(). */
bool cvm_labels_have(const char *labels, const char *some);

/* The labels of a valid text, which is taken apart: `out` points into it. How many. */
size_t cvm_labels_split(char *text, Manager__Label out[CVM_LABELS_COUNT_MAX]);
