/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measured.h — from a launch to the facts that hardware would have of it.
 */
#pragma once

#include "common/base/writer.h"
#include "tests/teesim/launch.h"

/* The members of the facts (facts.h) that follow from the launch, each with a comma after it,
 * and the one named "tee". Reads and measures firmware, kernel and initrd. */
int measured_write(const struct launch *launch, struct writer *w, struct err *e) MUST_CHECK;
