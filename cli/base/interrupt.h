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

/* A file that is removed then; lent until the next call. NULL: none. */
void interrupt_remove(const char *path);

/* The next signal is only told that all is nearly done: from the one after it on they count. For what must
 * not be given up lightly. */
void interrupt_hold(void);

/* No text any more, no file, nothing held. */
void interrupt_clear(void);
