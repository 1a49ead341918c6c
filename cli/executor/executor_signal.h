/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_signal.h — SIGTERM and Ctrl-C of an executor: at once where nothing is under way, else when the node is handed back.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* From now on. A signal counts while it is let in: by executor_signal_idle(), or by a wait with executor_signal_mask(). */
void executor_signal_open(void);

/* Nothing is under way until it is told otherwise: a signal ends this process with 128 and its number. */
void executor_signal_idle(bool is_idle);

/* For ppoll(): the signals that end an executor come in. */
const sigset_t *executor_signal_mask(void);

/* The signal that has come; 0: none. */
int executor_signal_come(void);
