/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_message.h — what CVMs ran, and may, bytes in and out, and what was kept, as administrators' calls and statements have it.
 */
#pragma once

#include "computations.pb-c.h"
#include "computations/store/store_usage.h"

/* Lends the row's texts. */
void usage_message_fill(Computations__Usage *out, const struct usage_row *row);

/* False: there is no limit of a month. */
bool usage_message_limit(Computations__UsageLimit *out, const struct machine_quota *quota);
