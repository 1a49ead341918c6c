/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_form.h — the table of the evidence that agents gave (store_evidence.h).
 */
#pragma once

#define EVIDENCE_FORM                                                                       \
	"CREATE TABLE evidence ("                                                           \
	" of_run {integer} NOT NULL,"                                                       \
	" number {integer} NOT NULL," /* the computation's row; without a run, the CVM's */ \
	" cvm TEXT NOT NULL,"                                                               \
	" attempt {integer} NOT NULL,"                                                      \
	" verified {integer} NOT NULL,"                                                     \
	" verdict TEXT NOT NULL,"                                                           \
	" judged {integer} NOT NULL,"                                                       \
	" nonce {bytes} NOT NULL,"                                                          \
	" manifest {bytes} NOT NULL," /* its digest; empty: there was none yet */           \
	" token {bytes} NOT NULL,"                                                          \
	" policy {bytes} NOT NULL,"                                                         \
	" root {bytes} NOT NULL,"                                                           \
	" ak {bytes} NOT NULL,"                                                             \
	" PRIMARY KEY (of_run, number));"
