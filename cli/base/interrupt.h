/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt.h — Ctrl-C (and SIGTERM) says what is kept and how to go on, and ends the program with
 * 128 and the signal's number: 130, 143.
 *
 * Without a text the signals do what they always do.
 */
#pragma once

enum { INTERRUPT_TEXT_MAX = 512 };

/* What is said from now on. Safe against a signal that comes meanwhile: the old text or the new. */
void interrupt_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* No text any more. */
void interrupt_clear(void);
