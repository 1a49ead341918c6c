/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/registry_form.h"

#include "common/base/cleanup.h"
#include "manager/registry/registry.h"

#define FIRST                                                           \
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)" \
	" {strict};"                                                    \
	"CREATE TABLE cvm ("                                            \
	" id TEXT PRIMARY KEY,"                                         \
	" slot {integer} NOT NULL UNIQUE,"                              \
	" port {integer} NOT NULL UNIQUE,"                              \
	" step {integer} NOT NULL,"                                     \
	" created_ms {integer} NOT NULL,"                               \
	" expires_ms {integer} NOT NULL,"                               \
	" tee {integer} NOT NULL,"                                      \
	" kvm {integer} NOT NULL,"                                      \
	" cpus {integer} NOT NULL,"                                     \
	" cpu_type TEXT NOT NULL,"                                      \
	" firmware TEXT NOT NULL,"                                      \
	" image TEXT NOT NULL,"                                         \
	" cmdline TEXT NOT NULL,"                                       \
	" boot_sha3_256 {bytes} NOT NULL,"                              \
	" boot_sha3_384 {bytes} NOT NULL,"                              \
	" expected TEXT NOT NULL) {strict};"

/* Some managers of the first form had made the table already. */
#define WHAT_IS_GONE                                                       \
	"CREATE TABLE IF NOT EXISTS gone (nr {counted}, id TEXT NOT NULL)" \
	" {strict};"                                                       \
	"ALTER TABLE cvm ADD COLUMN name TEXT NOT NULL DEFAULT '';"        \
	"ALTER TABLE cvm ADD COLUMN labels TEXT NOT NULL DEFAULT '';"      \
	"ALTER TABLE cvm ADD COLUMN memory {integer} NOT NULL DEFAULT 0;"  \
	"ALTER TABLE gone ADD COLUMN name TEXT NOT NULL DEFAULT '';"       \
	"ALTER TABLE gone ADD COLUMN labels TEXT NOT NULL DEFAULT '';"     \
	"ALTER TABLE gone ADD COLUMN tee {integer} NOT NULL DEFAULT 0;"    \
	"ALTER TABLE gone ADD COLUMN kvm {integer} NOT NULL DEFAULT 0;"    \
	"ALTER TABLE gone ADD COLUMN why {integer} NOT NULL DEFAULT 0;"    \
	"ALTER TABLE gone ADD COLUMN created_ms {integer} NOT NULL"        \
	" DEFAULT 0;"                                                      \
	"ALTER TABLE gone ADD COLUMN exited_ms {integer} NOT NULL"         \
	" DEFAULT 0;"

#define OWNERS                                                       \
	"ALTER TABLE cvm ADD COLUMN owner TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE gone ADD COLUMN owner TEXT NOT NULL DEFAULT '';"

#define PLACES "ALTER TABLE cvm ADD COLUMN host TEXT NOT NULL DEFAULT '';"

#define HOSTS                         \
	"CREATE TABLE host ("         \
	" nr {counted},"              \
	" name TEXT NOT NULL UNIQUE," \
	" uri TEXT NOT NULL,"         \
	" words TEXT NOT NULL,"       \
	" draining {integer} NOT NULL) {strict};"

/* Which manager holds a host, of several that share a server; `fence` grows with each that takes one. */
#define LEASES                          \
	"CREATE TABLE lease ("          \
	" host TEXT PRIMARY KEY,"       \
	" holder TEXT NOT NULL,"        \
	" instance {integer} NOT NULL," \
	" fence {integer} NOT NULL,"    \
	" until_ms {integer} NOT NULL," \
	" uri TEXT NOT NULL,"           \
	" lease_ms {integer} NOT NULL," \
	" vms_max {integer} NOT NULL) {strict};"

/* Each manager of those, by its name, which one process has at a time (registry_lease_name.c). */
#define MANAGERS                          \
	"CREATE TABLE manager ("          \
	" name TEXT PRIMARY KEY,"         \
	" instance {integer} NOT NULL,"   \
	" machine TEXT NOT NULL,"         \
	" place TEXT NOT NULL,"           \
	" pid {integer} NOT NULL,"        \
	" started_ms {integer} NOT NULL," \
	" until_ms {integer} NOT NULL) {strict};"

static const char *const upgrades[REGISTRY_VERSION] = {
	[1] = WHAT_IS_GONE, [2] = OWNERS, [3] = PLACES, [4] = HOSTS, [5] = LEASES, [6] = MANAGERS,
};

const struct db_forms registry_forms = { "cocos-manager", REGISTRY_VERSION,
					 FIRST WHAT_IS_GONE OWNERS PLACES HOSTS LEASES MANAGERS,
					 upgrades };
