/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h — init's lines on the serial console, and the two ways its work ends.
 *
 * Every line starts with "cocos-init:" and the seconds since the kernel started, so that a console
 * log shows boot times.
 */
#pragma once

#include "common/base/err.h"

void console_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whoever holds the other end types into nothing: no echo, which could look like a line of ours, and no
 * character that stops the output (XOFF) or means anything else. Without a console there is nothing to do. */
int console_deafen(struct err *e) MUST_CHECK;

/* One line that says what stopped the boot, then power off. Nothing of the image runs after it. */
_Noreturn void console_stop_boot(const struct err *e);

/* Writes back what is dirty and powers the machine off; halts if it has no power switch. */
_Noreturn void console_power_off(void);
