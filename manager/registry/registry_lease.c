/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/registry_lease.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>
#include <unistd.h>

/* As its administrator calls it; other letters than those of a name are nobody's business. */
static void name_machine(char machine[MANAGER_MACHINE_MAX + 1])
{
	memset(machine, 0, MANAGER_MACHINE_MAX + 1);
	if (gethostname(machine, MANAGER_MACHINE_MAX) < 0)
		machine[0] = '\0';
	for (char *c = machine; *c; c++)
		if (*c <= 0x20 || *c > 0x7e)
			*c = '?';
	if (!*machine)
		machine[0] = '?';
}

int leases_new(const struct registry_share *share, struct leases **leases, struct err *e)
{
	struct leases *l = calloc(1, sizeof(*l));
	uint64_t number = 0;

	if (!l)
		return err_nomem(e);
	if (random_bytes(&number, sizeof(number), e) < 0) {
		free(l);
		return err_code(e);
	}
	l->instance = (int64_t)(number >> 1) | 1;
	snprintf(l->name, sizeof(l->name), "%s", share->name);
	snprintf(l->place, sizeof(l->place), "%s", share->place ? share->place : "");
	name_machine(l->machine);
	l->pid = getpid();
	l->lease_ms = share->lease_ms;
	l->vms_max = share->vms_max;
	pthread_mutex_init(&l->lock, NULL);
	*leases = l;
	return 0;
}

void leases_free(struct leases *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Under the lock. */
static struct held_lease *find(const struct leases *l, const char *host)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->held[i].host, host) == 0)
			return (struct held_lease *)&l->held[i];
	return NULL;
}

int64_t leases_fence(const struct leases *leases, const char *host)
{
	struct leases *l = (struct leases *)(uintptr_t)leases;
	const struct held_lease *held;
	int64_t fence;

	pthread_mutex_lock(&l->lock);
	held = find(l, host);
	fence = held ? held->fence : 0;
	pthread_mutex_unlock(&l->lock);
	return fence;
}

bool registry_is_shared(const struct registry *registry)
{
	return registry && registry->leases;
}

int registry_lease_check(const struct registry *registry, const char *host, struct err *e)
{
	struct leases *l = registry ? registry->leases : NULL;
	const struct held_lease *held;
	bool is_held, runs;

	if (!l)
		return 0;
	pthread_mutex_lock(&l->lock);
	held = find(l, host);
	is_held = held != NULL;
	runs = held && held->until > clock_ms(CLOCK_BOOTTIME);
	pthread_mutex_unlock(&l->lock);
	if (!is_held)
		return err_set(e, ERR_UNAVAILABLE, "this manager does not hold host %s", host);
	return runs ? 0
		    : err_set(e, ERR_UNAVAILABLE,
			      "this manager's lease of host %s has run out: it waits for the database",
			      host);
}

/* ---- a round ---- */

struct round {
	struct registry_wish *wishes;
	size_t count;
	struct registry_round *out;
	int64_t now, fence; /* the database's clock; the highest fence that there is */
	bool mine;          /* this manager's name is; else it holds nothing */
};

static struct registry_lease *row_of(const struct registry_round *round, const char *host)
{
	for (size_t i = 0; i < round->lease_count; i++)
		if (strcmp(round->leases[i].host, host) == 0)
			return &round->leases[i];
	return NULL;
}

static bool is_listed(const struct registry_round *round, const struct registry_wish *wish)
{
	if (!wish->added)
		return true;
	for (size_t i = 0; i < round->host_count; i++)
		if (strcmp(round->hosts[i].name, wish->host) == 0 && *round->hosts[i].uri)
			return true;
	return false;
}

/* Further ahead than any lease lasts: the database's clock was set back, or the row is nobody's work of ours. It counts as
 * ended when nobody has renewed it for as long as the longest lease lasts by this machine's clock. */
static bool odd_has_ended(struct leases *l, const struct registry_lease *row)
{
	const int64_t now = clock_ms(CLOCK_BOOTTIME);
	struct odd_lease *odd = NULL;

	for (size_t i = 0; i < l->odd_count; i++)
		if (strcmp(l->odd[i].host, row->host) == 0)
			odd = &l->odd[i];
	if (!odd && l->odd_count == LEASES_MAX)
		l->odd_count = 0; /* of hosts that were long ago */
	if (!odd) {
		odd = &l->odd[l->odd_count++];
		*odd = (struct odd_lease){ .fence = 0 };
		memcpy(odd->host, row->host, sizeof(odd->host));
	}
	if (odd->fence != row->fence || odd->until_ms != row->until_ms) {
		log_warn(
			"host %s: its lease ends later than any lease does: it counts as ended when "
			"manager %s has not renewed it for %d s",
			row->host, row->holder, LEASE_MAX_MS / 1000);
		odd->fence = row->fence;
		odd->until_ms = row->until_ms;
		odd->seen = now;
	}
	return now - odd->seen > LEASE_MAX_MS;
}

static void judge(struct leases *l, struct round *t)
{
	struct registry_round *out = t->out;

	for (size_t i = 0; i < out->lease_count; i++) {
		struct registry_lease *row = &out->leases[i];

		row->runs = row->until_ms > t->now;
		if (row->runs && row->until_ms - t->now > LEASE_MAX_MS &&
		    row->instance != l->instance)
			row->runs = !odd_has_ended(l, row);
		if (row->fence > t->fence)
			t->fence = row->fence;
	}
}

/* Whether it has CVMs; then it has to be the machine that their maker meant. */
static int check_uri(struct registry *r, const struct registry_lease *row,
		     struct registry_wish *wish, struct err *e)
{
	int64_t count;

	wish->other_uri = false;
	if (!row || strcmp(row->uri, wish->uri) == 0 || strcmp(row->holder, r->leases->name) == 0)
		return 0;
	if (db_number(&r->db, &count, e, "SELECT count(*) FROM cvm WHERE host = ?", "t",
		      wish->host) < 0)
		return err_code(e);
	wish->other_uri = count > 0;
	return 0;
}

/* Its row afterwards, for who looks at all of them. */
static void show(struct registry *r, struct round *t, const struct registry_wish *wish,
		 int64_t fence)
{
	struct registry_lease *row = row_of(t->out, wish->host);

	if (!row) /* there is room for one more than are read for each wish */
		row = &t->out->leases[t->out->lease_count++];
	*row = (struct registry_lease){ .instance = r->leases->instance,
					.fence = fence,
					.until_ms = t->now + r->leases->lease_ms,
					.lease_ms = r->leases->lease_ms,
					.vms_max = r->leases->vms_max,
					.runs = true };
	memcpy(row->host, wish->host, sizeof(row->host));
	memcpy(row->uri, wish->uri, sizeof(row->uri));
	memcpy(row->holder, r->leases->name, sizeof(row->holder));
}

static int take(struct registry *r, struct round *t, struct registry_wish *wish, struct err *e)
{
	const struct registry_lease *row = row_of(t->out, wish->host);
	bool was_ours = row && row->instance == r->leases->instance;
	bool was_left = row && row->instance && !was_ours;

	if (!wish->wanted || !is_listed(t->out, wish) || (row && row->runs && !was_ours))
		return 0;
	if (!row && t->out->lease_count >= LEASES_MAX) {
		log_warn("host %s is not taken: %d leases are there, which is the limit",
			 wish->host, LEASES_MAX);
		return 0;
	}
	if (check_uri(r, row, wish, e) < 0)
		return err_code(e);
	if (wish->other_uri)
		return 0;
	if (t->fence >= INT64_MAX - 2)
		return err_set(e, ERR_DATA_LOSS, "the fences of leases are used up");
	if (lease_take(r, row, wish, ++t->fence, t->now + r->leases->lease_ms, &wish->held, e) < 0)
		return err_code(e);
	wish->taken = wish->held;
	if (!wish->held)
		return 0;
	t->out->takeovers += was_left;
	show(r, t, wish, t->fence);
	return 0;
}

static int renew(struct registry *r, struct round *t, struct registry_wish *wish, int64_t fence,
		 struct err *e)
{
	const struct registry_lease *row = row_of(t->out, wish->host);

	if (!row || row->instance != r->leases->instance || row->fence != fence)
		return 0;
	if (lease_renew(r, row, t->now + r->leases->lease_ms, &wish->held, e) < 0)
		return err_code(e);
	if (wish->held)
		show(r, t, wish, fence);
	return 0;
}

static int serve(struct registry *r, struct round *t, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		struct registry_wish *wish = &t->wishes[i];
		int64_t fence = leases_fence(r->leases, wish->host);

		wish->held = wish->taken = wish->other_uri = false;
		if (!t->mine)
			continue;
		if (fence ? renew(r, t, wish, fence, e) < 0 : take(r, t, wish, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int read_taken(struct registry *r, struct round *t, struct err *e)
{
	struct registry_round *out = t->out;
	bool any = false;

	for (size_t i = 0; i < t->count; i++) {
		if (!t->wishes[i].taken)
			continue;
		any = true;
		if (registry_list_of(r, t->wishes[i].host, &out->cvms, &out->cvm_count, e) < 0)
			return err_code(e);
	}
	if (!any)
		return 0;
	out->gone = calloc(REGISTRY_GONE_MAX, sizeof(*out->gone));
	return out->gone ? registry_list_gone(r, out->gone, &out->gone_count, e) : err_nomem(e);
}

/* Where all places are taken, rows of hosts that were make place: more than are read would end all managers. */
static int make_place(struct registry *r, struct round *t, struct err *e)
{
	struct registry_round *out = t->out;

	if (out->lease_count + t->count <= LEASES_MAX)
		return 0;
	return lease_forget(r, t->now, t->fence, e) < 0
		       ? err_code(e)
		       : lease_rows(r, out->leases, &out->lease_count, e);
}

static int round_work(struct registry *r, void *data, struct err *e)
{
	struct round *t = data;
	struct registry_round *out = t->out;
	struct registry_manager other;

	if (db_clock(&r->db, &t->now, e) < 0 || manager_claim(r, t->now, &t->mine, &other, e) < 0)
		return err_code(e);
	if (!t->mine)
		manager_tell(r, &other);
	if (lease_rows(r, out->leases, &out->lease_count, e) < 0 ||
	    registry_list_hosts(r, out->hosts, &out->host_count, e) < 0)
		return err_code(e);
	judge(r->leases, t);
	if (make_place(r, t, e) < 0)
		return err_code(e);
	judge(r->leases, t);
	if (serve(r, t, e) < 0 || read_taken(r, t, e) < 0)
		return err_code(e);
	return other_rows(r, out, t->wishes, t->count, e);
}

/* What is not held any more is so at once: whoever asks from now on is refused. */
static void keep(struct leases *l, const struct round *t, int64_t until)
{
	size_t kept = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < t->count; i++) {
		const struct registry_wish *wish = &t->wishes[i];
		const struct registry_lease *row = wish->held ? row_of(t->out, wish->host) : NULL;

		if (!row || kept == LEASES_MAX)
			continue;
		memcpy(l->held[kept].host, wish->host, sizeof(l->held[kept].host));
		l->held[kept].fence = row->fence;
		l->held[kept].until = until;
		kept++;
	}
	l->count = kept;
	pthread_mutex_unlock(&l->lock);
}

int registry_lease_round(struct registry *r, struct registry_wish *wishes, size_t count,
			 struct registry_round *round, struct err *e)
{
	struct round t = { .wishes = wishes, .count = count, .out = round };
	struct leases *l = r->leases;
	int64_t begun = clock_ms(CLOCK_BOOTTIME);

	*round = (struct registry_round){ .takeovers = 0 };
	if (count > LEASES_MAX)
		return err_set(e, ERR_EXHAUSTED, "registry: more than %d hosts", LEASES_MAX);
	round->leases = calloc(LEASES_MAX + count, sizeof(*round->leases));
	round->hosts = calloc(REGISTRY_HOSTS_MAX, sizeof(*round->hosts));
	if (!round->leases || !round->hosts) {
		registry_round_done(round);
		return err_nomem(e);
	}
	if (registry_write(r, round_work, &t, e) < 0) {
		registry_round_done(round);
		return err_code(e);
	}
	keep(l, &t, begun + l->lease_ms - l->lease_ms / 10);
	return 0;
}

void registry_round_done(struct registry_round *round)
{
	free(round->leases);
	free(round->hosts);
	free(round->cvms);
	free(round->others);
	free(round->gone);
	*round = (struct registry_round){ .takeovers = 0 };
}

/* The row stays, for its fence; it is nobody's. The name is free. */
static int release(struct registry *r, void *data, struct err *e)
{
	if (db_run(&r->db, e, "UPDATE lease SET instance = 0, until_ms = 0 WHERE instance = ?", "i",
		   r->leases->instance) < 0)
		return err_code(e);
	return manager_leave(r, e);
}

int registry_lease_release(struct registry *r, struct err *e)
{
	struct leases *l = r->leases;

	if (!l)
		return 0;
	pthread_mutex_lock(&l->lock);
	l->count = 0;
	pthread_mutex_unlock(&l->lock);
	return registry_write(r, release, NULL, e);
}
