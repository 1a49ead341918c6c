/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_text.h — measurements as text: Prometheus's format 0.0.4, or OpenMetrics 1.0.0.
 *
 * Names and helps are ours; values of labels are of small sets, or of our own configuration, never what a
 * peer says.
 */
#pragma once

#include "common/base/writer.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPEN };
extern const char *const metrics_types[2]; /* media types, by enum metrics_format */

enum metrics_kind {
	METRICS_COUNTER, /* samples have _total behind the family's name */
	METRICS_GAUGE,
	METRICS_HISTOGRAM, /* _bucket, _sum, _count */
	METRICS_INFO,      /* _info, always 1 */
};

enum { METRICS_TEXT_MAX = 1 << 20 };

struct metrics_label {
	const char *name, *value;
};

struct metrics_text {
	enum metrics_format format;
	const char *family;
	enum metrics_kind kind;
	struct writer w;
};

struct metrics_text metrics_text_new(enum metrics_format format);

/* The next family: its samples follow, none of another between them. */
void metrics_family(struct metrics_text *t, const char *name, enum metrics_kind kind,
		    const char *help);
/* A sample of the family; a counter's and an info's have their suffix. `labels` end with a name of NULL; NULL:
 * there are none. */
void metrics_sample(struct metrics_text *t, const struct metrics_label *labels, double value);
/* Of a histogram, in this order: each bucket from the lowest bound, with all that are below it, the last
 * being "+Inf"; then sum and count. */
void metrics_bucket(struct metrics_text *t, const struct metrics_label *labels, const char *bound,
		    uint64_t count);
void metrics_sum(struct metrics_text *t, const struct metrics_label *labels, double sum,
		 uint64_t count);

/* The end. The text, malloc'ed. NULL, with ERR_UNAVAILABLE: no memory, or more than METRICS_TEXT_MAX. */
uint8_t *metrics_text_take(struct metrics_text *t, size_t *len, struct err *e);
