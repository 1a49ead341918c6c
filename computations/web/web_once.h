/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_once.h — creations of the API that are made once, however often they are sent with one Idempotency-Key
 * (store_once.h): the handlers behind it know nothing of keys. For this folder only.
 */
#pragma once

#include "computations/store/store_once.h"
#include "computations/web/web_work.h"

/* It creates something, and takes an Idempotency-Key. */
bool web_once_is(const struct web_route *row);
/* A row as the server has it: that of a creation looks at the key first. */
struct http_route web_once_row(const struct web_route *row);
