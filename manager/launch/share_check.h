/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_check.h — MANAGER_DATABASE and the managers that share it, looked at from outside: rows of
 * `cocos-manager --check`.
 */
#pragma once

#include "common/preflight/preflight.h"
#include "manager/registry/host_table.h"
#include "manager/registry/registry_look.h"
#include "manager/settings/config.h"

/* By how much this machine's clock may differ from the database's. */
enum { SHARE_CHECK_CLOCK_MS = 30 * 1000 };

struct share_check {
	const struct config *config;
	bool shared;   /* its hosts are such that others may have them, too */
	bool no_table; /* nobody knows whether they are */
	bool asked;    /* what follows; else there is no MANAGER_DATABASE */
	int failed;
	struct err e;
	struct registry_look found;
};

/* Asks the database. `table`: MANAGER_HOSTS's; NULL: none; one without rows could not be read. Blocking. */
void share_check_ask(struct share_check *share, const struct config *config,
		     const struct host_table *table);
void share_check_done(struct share_check *share);

/* The rows. */
int share_check_tag(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		    struct err *e) MUST_CHECK;
int share_check_name(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		     struct err *e) MUST_CHECK;
int share_check_leases(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		       struct err *e) MUST_CHECK;
int share_check_clock(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		      struct err *e) MUST_CHECK;

/* What a host's row says of who has it, behind the rest of it; empty: nobody was asked. ERR_PRECONDITION: this manager would
 * not take it, since it is another machine to who had it last. */
enum { SHARE_CHECK_WORDS_MAX = 192 };
int share_check_host(const struct share_check *share, const struct host_row *row,
		     char words[SHARE_CHECK_WORDS_MAX], struct err *e) MUST_CHECK;
