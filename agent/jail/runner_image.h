/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_image.h — a `docker` algorithm's two steps: its image unpacked by a process in a jail of its own,
 * which sees the archive and an empty folder; and then what the image says, run on that folder.
 */
#pragma once

#include "agent/jail/runner_prepare.h"

#include <stddef.h>

/* What of the archive can be told without opening a layer: its form, that the image is this machine's, that all
 * its parts are there, and that there is something to run. With `cancel` true it gives up soon. */
int runner_image_judge(const struct runner_spec *spec, const atomic_bool *cancel,
		       struct err *e) MUST_CHECK;

/* Makes the folder, and plan->image_most: how much may be unpacked to it. */
int runner_image_prepare(const struct runner_spec *spec, struct runner_plan *plan,
			 struct err *e) MUST_CHECK;

/* From what the process left in its results/ and in the folder: argv, variables, folder and mounts.
 * `environment` is what every algorithm finds; an image's own variables go before it. */
int runner_image_plan(const struct runner_spec *spec, const char *const *environment, int results,
		      struct runner_plan *plan, struct err *e) MUST_CHECK;

/* Why it failed, in its own words; `text` stays as it is if there are none. */
void runner_image_fault(int results, char *text, size_t size);
