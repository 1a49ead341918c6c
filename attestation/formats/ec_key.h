/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_key.h — a public key from a point of a named curve.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

/* `point` is uncompressed (4, x, y). `like`, which may be NULL, is another key: if it is on the
 * same curve, the curve is copied, which takes a quarter of the time of making it. NULL, with
 * the reason in OpenSSL's queue, for another form of point, and for a point that is not on the
 * curve. The caller frees the key. */
EVP_PKEY *ec_key_make(const char *group, struct span point, EVP_PKEY *like) MUST_CHECK;

/* Whether it is a key on the curve of that name ("prime256v1"). */
bool ec_key_is_on(const EVP_PKEY *key, const char *group);
