/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.h — in a development image: the hardware that the machine seems to have, and then the agent.
 *
 * The program stands in the agent's place. It puts the simulated files where the kernel has them,
 * serves them from a process of its own, and becomes the agent.
 */
#pragma once

/* argv is the agent's. Only returns on failure, with the exit status. */
int boot(char **argv);
