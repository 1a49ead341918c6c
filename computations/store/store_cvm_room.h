/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_cvm_room.h — a place for one more CVM's name, and who gives it.
 */
#pragma once

#include "computations/store/store.h"

/* Forgets a CVM that is not connected and holds no computation, if there are as many as may be known; `key` is the
 * newcomer's. One that was not here for a week (store_cvm_here()) goes first. Else the places are shared: the key with most names that
 * were never used for anything gives one away, if it is the newcomer's own or has more than its share. Last, any that
 * is bound to no key, or to the newcomer's. ERR_EXHAUSTED: there is none. */
int store_cvm_room(struct store *store, const char *key,
		   bool (*connected)(const char *id, void *data), void *data,
		   struct err *e) MUST_CHECK;
