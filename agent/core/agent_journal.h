/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_journal.h — what the agent does and says, as entries of the computation's journal
 * (docs/journal.md). What can't become one is logged, and the run goes on.
 */
#pragma once

#include "agent/core/agent.h"
#include "agent/jail/jail.h"
#include "agent/jail/runner.h"

/* The journal of the computation on its way, whose statement names the journal's key. */
int agent_journal_begin(struct agent *agent, struct span statement, struct err *e) MUST_CHECK;
/* Evidence for whoever verifies it later; or why there is none. */
void agent_journal_evidence(struct agent *agent, struct span statement);

void agent_journal_log(struct agent *agent, const char *level, const char *text);
void agent_journal_event(struct agent *agent, const char *type, const char *status,
			 const char *details);
/* A line of the algorithm that the manifest shows to the service. Others are nobody's here, nor their
 * digests, by which a line could be guessed. */
void agent_journal_output(struct agent *agent, int stream, const char *text, size_t len);
void agent_journal_uploads(struct agent *agent, uint64_t size);
/* Datasets that are here since a run that failed. */
void agent_journal_restored(struct agent *agent);
struct retained_item;
/* One whose owner took back the leave to use it again. */
void agent_journal_forgotten(struct agent *agent, const struct retained_item *item);
void agent_journal_limits(struct agent *agent, const struct jail_limits *limits);
void agent_journal_exit(struct agent *agent, const struct jail_exit *exit);
/* Only where the manifest shows the service what the algorithm writes: results of few possible values are
 * guessed by their digest. Of others the receipt tells, which participants get alone. */
void agent_journal_results(struct agent *agent, uint64_t size, const uint8_t digest[SHA3_256_LEN]);
void agent_journal_delivery(struct agent *agent, const struct consumer *consumer);
