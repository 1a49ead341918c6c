/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_rate.h — how many lines of one kind are worth a reader's while, where strangers cause them: a
 * few at once, then one a second; the next that is written tells how many were not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LOG_RATE_BURST = 10, LOG_RATE_MS = 1000 /* for each line more */ };

/* Zeroed is full. */
struct log_rate {
	int64_t spent_until; /* rate.h */
	unsigned long skipped;
};

/* May a line be written at `now_ms` (of a clock that does not go back)? `skipped` gets how many were
 * not written since the last one that was. */
bool log_rate_take(struct log_rate *rate, uint64_t now_ms, unsigned long *skipped);
