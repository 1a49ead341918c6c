/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_form.h — the tables of this room, for the form of the service's database (common/db/db_form.h).
 */
#pragma once

#define WORKFLOWS_FORM                                                                      \
	"CREATE TABLE executors ("                                                          \
	" number {counted},"                                                                \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"   \
	" person {integer} NOT NULL REFERENCES users (number) ON DELETE CASCADE,"           \
	" type TEXT NOT NULL,"                                                              \
	" key {bytes} NOT NULL,"                                                            \
	" secret {bytes} NOT NULL," /* its SHA-256 */                                       \
	" created {integer} NOT NULL,"                                                      \
	" seen {integer} NOT NULL DEFAULT 0,"   /* 0: it has never shown its secret */      \
	" served {integer} NOT NULL DEFAULT 0," /* whose node it took last */               \
	" UNIQUE (workspace, person, type, key));"                                          \
	"CREATE INDEX executors_person ON executors (person);"                              \
	"CREATE TABLE workflows ("                                                          \
	" number {counted},"                                                                \
	" id TEXT NOT NULL UNIQUE,"                                                         \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"   \
	" person {integer} REFERENCES users (number) ON DELETE SET NULL,"                   \
	" name TEXT NOT NULL,"                                                              \
	" fingerprint {bytes} NOT NULL," /* of the key that signed it */                    \
	" ordered {bytes} NOT NULL,"     /* workflows.Order */                              \
	" nodes {integer} NOT NULL,"                                                        \
	" done {integer} NOT NULL DEFAULT 0,"                                               \
	" state {integer} NOT NULL DEFAULT 0,"                                              \
	" reason TEXT NOT NULL DEFAULT '',"                                                 \
	" created {integer} NOT NULL,"                                                      \
	" ended {integer} NOT NULL DEFAULT 0,"                                              \
	" expires {integer} NOT NULL);"                                                     \
	"CREATE INDEX workflows_workspace ON workflows (workspace, number);"                \
	"CREATE INDEX workflows_person ON workflows (person, workspace, state, number);"    \
	"CREATE INDEX workflows_ended ON workflows (state, ended);"                         \
	"CREATE TABLE workflow_nodes ("                                                     \
	" workflow {integer} NOT NULL REFERENCES workflows (number) ON DELETE CASCADE,"     \
	" number {integer} NOT NULL,"                                                       \
	" type TEXT NOT NULL,"                                                              \
	" seconds {integer} NOT NULL,"  /* maxexectime */                                   \
	" attempts {integer} NOT NULL," /* at most */                                       \
	" state {integer} NOT NULL,"                                                        \
	" attempt {integer} NOT NULL DEFAULT 0,"                                            \
	" executor {integer} NOT NULL DEFAULT 0," /* who has it, or had it last */          \
	" key {bytes} NOT NULL," /* its, also when it is gone; no bytes: nobody had it */   \
	" person TEXT NOT NULL DEFAULT '',"                                                 \
	" taken {integer} NOT NULL DEFAULT 0,"                                              \
	" lease {integer} NOT NULL DEFAULT 0," /* until then, of one that is taken */       \
	" ended {integer} NOT NULL DEFAULT 0,"                                              \
	" failure TEXT NOT NULL DEFAULT '',"                                                \
	" size {integer} NOT NULL DEFAULT 0," /* of its output; 0: none, or it was wiped */ \
	" digest {bytes} NOT NULL,"           /* of its output; no bytes: none yet */       \
	" PRIMARY KEY (workflow, number)) {by key};"                                        \
	"CREATE INDEX workflow_nodes_lease ON workflow_nodes (state, lease);"               \
	"CREATE INDEX workflow_nodes_executor ON workflow_nodes (executor, state);"         \
	"CREATE TABLE workflow_keys (" /* who may run what has not ended */                 \
	" key {bytes} NOT NULL,"                                                            \
	" workflow {integer} NOT NULL REFERENCES workflows (number) ON DELETE CASCADE,"     \
	" node {integer} NOT NULL,"                                                         \
	" PRIMARY KEY (key, workflow, node)) {by key};"                                     \
	"CREATE INDEX workflow_keys_workflow ON workflow_keys (workflow);"                  \
	"CREATE TABLE workflow_outputs ("                                                   \
	" workflow {integer} NOT NULL REFERENCES workflows (number) ON DELETE CASCADE,"     \
	" node {integer} NOT NULL,"                                                         \
	" bytes {bytes} NOT NULL,"                                                          \
	" PRIMARY KEY (workflow, node));"
