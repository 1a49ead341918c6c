/* SPDX-License-Identifier: Apache-2.0 */
/* note_form.h — the tables of note.h, for the form of the service's database (common/db/db_form.h). */
#pragma once

#define NOTE_FORM                                                              \
	"CREATE TABLE asset_notes ("                                           \
	" computation TEXT NOT NULL,"                                          \
	" place {integer} NOT NULL," /* 0: the algorithm, then its datasets */ \
	" id TEXT NOT NULL,"                                                   \
	" name TEXT NOT NULL,"                                                 \
	" owner TEXT NOT NULL,"                                                \
	" description TEXT NOT NULL,"                                          \
	" mime TEXT NOT NULL,"                                                 \
	" created {integer} NOT NULL,"                                         \
	" PRIMARY KEY (computation, place)) {by key};"                         \
	"CREATE TABLE origins (" /* when it ran where it was imported from */  \
	" computation TEXT PRIMARY KEY NOT NULL,"                              \
	" started {integer} NOT NULL,"                                         \
	" ended {integer} NOT NULL) {by key};"
