/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_metrics.h — what every daemon tells of itself: its build, memory, descriptors, time; and when its
 * certificates end.
 */
#pragma once

#include "common/metrics/metrics_text.h"

#include <sys/stat.h>

/* From /proc/self; what can't be read is left out. */
void process_metrics_write(struct metrics_text *t);

/* A certificate: by which setting, and the PEM file that it names (NULL: none). The rest is what was found there,
 * zeroed before. */
struct certificate_metric {
	const char *setting, *path;
	struct stat file;
	int64_t end; /* 0: it can't be read */
};
/* notAfter of the first certificate in each file, as it is on disk now, in seconds since 1970; those that can't be read are
 * left out. A file that is the same as last time is not read again: whoever asks all the time costs little. */
void certificate_metrics_write(struct certificate_metric *certificates, size_t count,
			       struct metrics_text *t);
