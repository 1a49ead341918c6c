/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.h — in a development image: simulates the hardware, then becomes the agent.
 *
 * The program is installed in the agent's place. It puts the simulated files where the kernel has
 * them, serves them from a separate process, and becomes the agent.
 */
#pragma once

/* argv is the agent's. Only returns on failure, with the exit status. */
int boot(char **argv);
