/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_played.h — for agent_world.c: what is played of an agent's other processes.
 */
#pragma once

#include "tests/fuzz/agent_world.h"

/* A keeper process that starts next has registers, or none. */
void played_keeper_begin(bool measured);
/* Answers what waits, if it does so; whether there was something. */
bool played_keeper_serve(void);
/* The process has ended. */
void played_keeper_end(void);

/* The descriptor of a folder of results, for a run that ends well. */
extern int (*played_results)(void);
