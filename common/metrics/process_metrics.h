/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_metrics.h — what every daemon tells of itself: its build, memory, descriptors, time; and when its
 * certificates end.
 */
#pragma once

#include "common/metrics/metrics_text.h"

/* From /proc/self; what can't be read is left out. */
void process_metrics_write(struct metrics_text *t);

/* A certificate: by which setting, and the PEM file that it names (NULL: none). */
struct certificate_metric {
	const char *setting, *path;
};
/* notAfter of the first certificate in each file, as it is on disk now, in seconds since 1970; those that can't be read are
 * left out. */
void certificate_metrics_write(const struct certificate_metric *certificates, size_t count,
			       struct metrics_text *t);
