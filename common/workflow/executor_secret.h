/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_secret.h — what the service gives an executor that registers, sealed to its key (hpke.h, mode base, no aad), by
 * which it knows that executor again. Both ends include it.
 */
#pragma once

enum { EXECUTOR_SECRET_LEN = 32 };

/* HPKE's info: its final zero belongs to it. */
#define EXECUTOR_SECRET_LABEL "cocos-executor-v1"
