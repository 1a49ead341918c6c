/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/registry_look.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/db/db_postgres.h"
#include "manager/registry/registry_form.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>

/* What lies between is the time that the server took to answer. */
static int compare_clocks(struct registry *r, int64_t *now, int64_t *ahead_ms, struct err *e)
{
	const int64_t before = clock_ms(CLOCK_REALTIME);
	int64_t after;

	if (db_clock(&r->db, now, e) < 0)
		return err_code(e);
	after = clock_ms(CLOCK_REALTIME);
	*ahead_ms = *now < before ? before - *now : *now > after ? after - *now : 0;
	return 0;
}

static int read_tags(struct registry *r, const char *dir, struct registry_look *look, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	char kept[REGISTRY_TAG_LEN + 1];

	if (text_format(&path, e, "%s/tag", dir) < 0 || registry_read_tag(r, e) < 0)
		return err_code(e);
	memcpy(look->tag, r->tag, sizeof(look->tag));
	look->tag_failed = registry_tag_file(path, kept, &look->tag_why) < 0 ||
			   registry_check_tag(r, kept, &look->tag_why) < 0;
	return 0;
}

static int read_hosts(struct registry *r, int64_t now, struct registry_look *look, struct err *e)
{
	CLEANUP(free) struct registry_lease *leases = calloc(LEASES_MAX, sizeof(*leases));
	size_t count;

	look->hosts = calloc(LEASES_MAX, sizeof(*look->hosts));
	if (!leases || !look->hosts)
		return err_nomem(e);
	if (lease_rows(r, leases, &count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		struct registry_look_host *host = &look->hosts[i];

		host->lease = leases[i];
		host->lease.runs = leases[i].until_ms > now;
		if (db_number(&r->db, &host->cvms, e, "SELECT count(*) FROM cvm WHERE host = ?",
			      "t", leases[i].host) < 0)
			return err_code(e);
	}
	look->host_count = count;
	return 0;
}

static int read_all(struct registry *r, const char *dir, struct registry_look *look, struct err *e)
{
	int64_t now;
	int known;

	if (db_form(&r->db, &look->form, e) < 0 || compare_clocks(r, &now, &look->ahead_ms, e) < 0)
		return err_code(e);
	look->is_known = look->form == REGISTRY_VERSION;
	if (!look->is_known)
		return 0;
	if (read_tags(r, dir, look, e) < 0 || read_hosts(r, now, look, e) < 0)
		return err_code(e);
	known = r->leases ? manager_find(r, now, &look->named, e) : 0;
	look->is_named = known > 0;
	return known < 0 ? known : 0;
}

static int open_and_read(struct registry *r, const char *dir, const char *database,
			 struct registry_look *look, struct err *e)
{
	const struct db_postgres how = { .place = database,
					 .schema = REGISTRY_SCHEMA,
					 .look = true };

	if (db_postgres_open(&r->db, &how, e) < 0 || db_snapshot(&r->db, e) < 0)
		return err_code(e);
	int failed = read_all(r, dir, look, e);
	db_rollback(&r->db);
	return failed;
}

int registry_look(const char *dir, const char *database, const char *name,
		  struct registry_look *look, struct err *e)
{
	const struct registry_share share = { .name = name,
					      .lease_ms = LEASE_MIN_MS,
					      .vms_max = 1 };
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));

	*look = (struct registry_look){ .form = 0 };
	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	r->is_server = true;
	if ((!name || leases_new(&share, &r->leases, e) == 0) &&
	    open_and_read(r, dir, database, look, e) == 0)
		return 0;
	registry_look_done(look);
	return registry_error(r, e);
}

void registry_look_done(struct registry_look *look)
{
	free(look->hosts);
	*look = (struct registry_look){ .form = 0 };
}
