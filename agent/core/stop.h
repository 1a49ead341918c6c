/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h — a stop in steps, since what has to end first ends by itself: the keeper's answer, the
 * run, an unpacking in the pool. Whoever was waited for calls stop_go_on().
 */
#pragma once

struct agent;

/* The next step, if a stop is wanted and nothing is in its way. */
void stop_go_on(struct agent *agent);
