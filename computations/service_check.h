/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_check.h — what the service must have before agents can use it: `cocos-computations --check`.
 */
#pragma once

#include "common/preflight/preflight.h"
#include "computations/core/config.h"

/* Makes all checks and prints them: 0 if none failed, else 1. Blocking. */
int service_check_run(const struct config *config, enum preflight_form form, FILE *out) MUST_CHECK;
