/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_room.h — a registry for each test, and what another program does to it: in a file, or, where
 * tests/postgres.py has started one, on a server.
 */
#pragma once

#include "manager/registry/registry.h"
#include "tests/unit.h"
#include "tests/unit/manager/cvm_equal.h"

extern char registry_room_path[128], registry_room_tag[128]; /* of the files */
extern const char *const registry_room_folder;
extern const struct registry_host registry_room_host;

int registry_room_enter(void **state);
int registry_room_end(void **state);
int registry_room_leave(void **state);
#define REGISTRY_ROOM_ROW(name) cmocka_unit_test_teardown(name, registry_room_leave)

/* For registry_open(); NULL: a file. */
const char *registry_room_place(void);
/* What one that is damaged says of it. */
const char *registry_room_way_out(void);
/* Away with the database; the tag stays. */
void registry_room_forget(void);

/* Statements as for db_script(), where {x 64} is a text of so many x, and {zero 32} so many bytes of zero. */
void registry_room_sql(const char *sql);
void registry_room_form(int form);

/* A registry as the first version made it, with one CVM. */
void registry_room_first(void);
void registry_room_check_first(const struct cvm *cvm);

struct cvm registry_room_cvm(unsigned n);
void registry_room_assert_host(const struct registry_host *is, const char *name, const char *uri,
			       bool draining);
