/* SPDX-License-Identifier: Apache-2.0 */
/*
 * button.h — the machine's power button, an input device that reports KEY_POWER.
 */
#pragma once

#include <stdbool.h>

enum { BUTTONS_MAX = 8 };

struct buttons {
	int fd[BUTTONS_MAX];
	int count;
};

/* Opens the input devices that have a power key. It is fine if there are none. */
void buttons_open(struct buttons *buttons);

/* Reads what `fd` reports; true if the power key went down. */
bool button_pressed(int fd);
