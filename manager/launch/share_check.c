/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/share_check.h"

#include "common/base/timestamp.h"
#include "manager/launch/own_place.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* As vm_hosts_can_share() says of the same table. */
static bool can_share(const struct host_table *table)
{
	if (!table)
		return false;
	for (size_t i = 0; i < table->count; i++)
		if (host_row_is_local(&table->rows[i]))
			return false;
	return true;
}

void share_check_ask(struct share_check *share, const struct config *config,
		     const struct host_table *table)
{
	*share = (struct share_check){ .config = config, .shared = can_share(table) };
	if (!config->database)
		return;
	share->no_table = table && !table->count;
	if (share->no_table)
		return;
	share->asked = true;
	share->failed =
		registry_look(config->state_dir, config->database,
			      share->shared ? config->name : NULL, &share->found, &share->e);
}

void share_check_done(struct share_check *share)
{
	registry_look_done(&share->found);
}

/* What the rows have in common when there is nothing to say; false: there is. */
static bool is_unknown(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX])
{
	const struct registry_look *look = &share->found;

	if (share->no_table)
		preflight_not_asked(
			found, "MANAGER_HOSTS, which says whether it is shared, can't be read");
	else if (!share->asked)
		preflight_not_asked(found,
				    "no MANAGER_DATABASE: the registry is this machine's own");
	else if (share->failed)
		preflight_not_asked(found, "the database, which would know, could not be asked");
	else if (!look->form)
		preflight_not_asked(found, "there is no registry yet: it is made at the start");
	else if (!look->is_known)
		preflight_not_asked(found, "a registry of form %" PRId64 " is not looked into",
				    look->form);
	else
		return false;
	return true;
}

/* What is wrong with the server, the row of the database says. */
int share_check_tag(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	const struct registry_look *look = &share->found;

	if (share->asked && share->failed && share->e.code == ERR_DATA_LOSS) {
		*e = share->e;
		return err_code(e);
	}
	if (is_unknown(share, found))
		return PREFLIGHT_NOT_ASKED;
	if (look->tag_failed) {
		*e = look->tag_why;
		return err_code(e);
	}
	return preflight_found(found, "%s: this manager's", look->tag);
}

/* One that is alone is refused by names that others have hosts with, not by its own. */
int share_check_name(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	const struct registry_manager *named = &share->found.named;
	const char *name = share->config->name;
	char place[MANAGER_PLACE_MAX + 1], text[MANAGER_TEXT_MAX];

	if (share->asked && !share->shared)
		return preflight_not_asked(
			found, "alone with its database: it shares one where MANAGER_HOSTS has no "
			       "host of its own");
	if (is_unknown(share, found))
		return PREFLIGHT_NOT_ASKED;
	if (!share->found.is_named || !named->runs)
		return preflight_found(found, "%s, which nobody else has", name);
	registry_manager_text(named, text);
	own_place_look(share->config, place);
	if (*place && strcmp(place, named->place) == 0)
		return preflight_found(found, "%s, which is this manager's own: %s", name, text);
	return err_set(e, ERR_PRECONDITION, "another manager is called %s: %s", name, text);
}

/* ---- hosts ---- */

/* Further ahead than any lease lasts, it is an odd one, of which nobody knows (registry_lease.c). */
static bool is_held(const struct registry_look_host *host)
{
	return host->lease.runs && host->lease.instance;
}

/* By the name in its row alone: of two processes that have it, the row above tells. */
static bool is_own(const struct share_check *share, const struct registry_look_host *host)
{
	return share->shared && strcmp(host->lease.holder, share->config->name) == 0;
}

static int refuse_alone(const struct registry_look_host *host, struct err *e)
{
	return err_set(
		e, ERR_PRECONDITION,
		"manager %s holds host %s by a lease, and this one would have all to itself: "
		"MANAGER_HOSTS has a " HOST_LOCAL_URI ", or is not set",
		host->lease.holder, host->lease.host);
}

int share_check_leases(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		       struct err *e)
{
	size_t own = 0, others = 0, other_times = 0;

	if (is_unknown(share, found))
		return PREFLIGHT_NOT_ASKED;
	for (size_t i = 0; i < share->found.host_count; i++) {
		const struct registry_look_host *host = &share->found.hosts[i];

		if (!is_held(host))
			continue;
		if (!share->shared)
			return refuse_alone(host, e);
		if (is_own(share, host))
			own++;
		else
			others++;
		other_times += !is_own(share, host) &&
			       host->lease.lease_ms != (int64_t)share->config->lease_ms;
	}
	if (other_times)
		return err_set(
			e, ERR_PRECONDITION,
			"%zu hosts are held by managers of another MANAGER_LEASE than %lld s",
			other_times, (long long)share->config->lease_ms / 1000);
	return preflight_found(found, "hosts: %zu of %s, %zu of others, %zu of nobody now", own,
			       share->shared ? share->config->name : "this one", others,
			       share->found.host_count - own - others);
}

static const struct registry_look_host *find(const struct share_check *share, const char *name)
{
	for (size_t i = 0; i < share->found.host_count; i++)
		if (strcmp(share->found.hosts[i].lease.host, name) == 0)
			return &share->found.hosts[i];
	return NULL;
}

/* As registry_lease_round() would find. */
int share_check_host(const struct share_check *share, const struct host_row *row,
		     char words[SHARE_CHECK_WORDS_MAX], struct err *e)
{
	const struct registry_look_host *host;
	char until[TIMESTAMP_TEXT_MAX], none[PREFLIGHT_TEXT_MAX];

	*words = '\0';
	if (!share->shared || is_unknown(share, none))
		return 0;
	host = find(share, row->name);
	if (host && host->cvms && !is_own(share, host) && strcmp(host->lease.uri, row->uri) != 0)
		return err_set(
			e, ERR_PRECONDITION,
			"manager %s, who had it last, calls %s by that name, and has %" PRId64
			" CVMs there: it is not taken by this one",
			host->lease.holder, host->lease.uri, host->cvms);
	if (!host || !is_held(host)) {
		snprintf(words, SHARE_CHECK_WORDS_MAX, "; no manager's now");
		return 0;
	}
	timestamp_format(host->lease.until_ms / 1000, until);
	snprintf(words, SHARE_CHECK_WORDS_MAX, "; manager %s has it until %s at least",
		 host->lease.holder, until);
	return 0;
}

/* ---- clocks ---- */

int share_check_clock(const struct share_check *share, char found[PREFLIGHT_TEXT_MAX],
		      struct err *e)
{
	const int64_t ahead = share->found.ahead_ms, off = ahead < 0 ? -ahead : ahead;
	const char *where = ahead < 0 ? "behind" : "ahead of";
	const long long s = off / 1000;

	if (!share->asked || share->failed) {
		(void)is_unknown(share, found);
		return PREFLIGHT_NOT_ASKED;
	}
	if (off > SHARE_CHECK_CLOCK_MS)
		return err_set(e, ERR_PRECONDITION,
			       "this machine's clock is at least %lld s %s the database's", s,
			       where);
	return s ? preflight_found(found, "this machine's is at least %lld s %s it", s, where)
		 : preflight_found(found, "this machine's agrees with it");
}
