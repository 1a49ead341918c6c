/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show_journal.h — an entry of a journal as a line for people.
 */
#pragma once

#include "attestation/journal/journal_entry.h"

#include <stdio.h>

/* "2026-11-20T08:13:20.123Z  4  log  level=INFO text=…": whatever a text holds, one line. */
void show_journal_entry(const struct journal_entry *entry, FILE *out);
