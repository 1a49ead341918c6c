/* SPDX-License-Identifier: Apache-2.0 */
/* web_oidc_enter.c — who is back from a provider comes in: as the user who is linked with him, or as a new one. */
#include "common/base/log.h"
#include "computations/people/workspace_member.h"
#include "computations/web/web_access.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"

#include <stdio.h>
#include <string.h>

static struct oidc_finish *said(struct web_enter *en)
{
	return &((struct web_oidc_trip *)en->more)->job.finish;
}

static void more_free(void *more)
{
	web_oidc_trip_free(more);
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_oidc_trip *trip = en->more;
	struct identity_owner owner;

	if (identity_sign_in(&store->db, trip->row->issuer, trip->job.finish.subject, store_now(),
			     &owner, e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s",
		 owner.person ? owner.user : trip->job.finish.name);
	return 0;
}

/* With what the provider saw of a second factor, if that is enough; else with that which the user has here. */
static int come_in(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_oidc_trip *trip = en->more;
	struct factor_state state;

	en->with_code = trip->job.finish.strong;
	if (en->with_code)
		return web_enter_login(store, en, e);
	if (factor_look(&store->db, en->person, &state, e) < 0)
		return err_code(e);
	if (!state.is_on && (*trip->row->acr || *trip->row->amr))
		return err_set(
			e, ERR_DENIED,
			"%s did not say that you gave a second factor there, and you have none "
			"here",
			trip->row->name);
	return web_second_begin(store, en, e);
}

static int keep_known(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_oidc_trip *trip = en->more;
	struct identity_owner owner;

	if (identity_sign_in(&store->db, trip->row->issuer, said(en)->subject, store_now(), &owner,
			     e) < 0)
		return err_code(e);
	if (!owner.person || strcmp(owner.user, en->user) != 0)
		return err_set(e, ERR_ABORTED,
			       "this account was linked or removed meanwhile: sign "
			       "in again");
	en->person = owner.person;
	return come_in(store, en, e);
}

/* One of several providers leaves the others, and whoever is invited, their places. */
static int check_room(struct store *store, const struct web_oidc_trip *trip, struct err *e)
{
	const struct provider_table *t = oidc_table(trip->web->oidc);
	const char *issuers[PROVIDERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		if (provider_table_makes(t, &t->rows[i]))
			issuers[count++] = t->rows[i].issuer;
	return identity_room(&store->db, trip->row->issuer, issuers, count, e);
}

/* A workspace that is not there is left out where there is another: in the first of several roles there as the table has them. */
static int add_user(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_oidc_trip *trip = en->more;
	const struct provider_table *t = oidc_table(en->web->oidc);
	struct user u CLEANUP_USER = { .name = NULL };
	bool is_in = false;
	struct err missing = { .code = 0 };

	if (check_room(store, trip, e) < 0 ||
	    user_add(&store->db, en->user, false, store_now(), e) < 0 ||
	    user_find(&store->db, en->user, &u, e) < 0)
		return err_code(e);
	en->person = u.number;
	for (size_t i = 0; i < t->rule_count; i++) {
		const struct provider_rule *rule = &t->rules[i];
		struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
		int failed;

		if (!(trip->job.finish.matches.bits[i / 64] >> i % 64 & 1))
			continue;
		failed = workspace_find(&store->db, rule->workspace, &w, e);
		if (err_is(failed, ERR_NOT_FOUND)) {
			log_warn("COMPUTATIONS_OIDC: %s", e->text);
			missing = *e;
			continue;
		}
		if (failed)
			return err_wrap(e, "COMPUTATIONS_OIDC");
		failed = workspace_member_add(&store->db, &w, u.number, rule->role, store_now(), e);
		if (failed && !err_is(failed, ERR_EXISTS))
			return failed;
		is_in = true;
	}
	if (is_in || !missing.code)
		return 0;
	*e = missing;
	return err_wrap(e, "COMPUTATIONS_OIDC");
}

static int keep_new(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_oidc_trip *trip = en->more;
	int failed = add_user(store, en, e);

	if (err_is(failed, ERR_EXISTS))
		return err_set(e, ERR_DENIED,
			       "a user is called %s already: if that is you, an administrator can "
			       "give you a password to link this account with",
			       en->user);
	if (failed)
		return failed;
	if (identity_add(&store->db, en->person, trip->row->name, trip->row->issuer,
			 said(en)->subject, store_now(), e) < 0)
		return err_code(e);
	return come_in(store, en, e);
}

static void come_in_done(struct web_enter *en)
{
	const struct web_oidc_trip *trip = en->more;

	log_info("page: user %s is back from %s", en->user, trip->row->name);
	web_second_done(en);
}

static void show(struct web_enter *en, unsigned status, const struct err *e)
{
	web_sign_in_show(en->web, en->r, "", status, e);
}

static const struct web_enter_way way_known = { TRAIL_SIGN_IN_WITH, false,        look,
						keep_known,         come_in_done, show };
static const struct web_enter_way way_new = { TRAIL_REGISTER_WITH, false, look, keep_new,
					      come_in_done,        show };

static void enter(struct web_oidc_trip *trip)
{
	struct web_enter *en =
		web_enter_plain(trip->web, trip->r, trip->is_known ? &way_known : &way_new);

	if (!en) {
		web_oidc_trip_free(trip);
		return;
	}
	en->more = trip;
	en->free_more = more_free;
	web_enter_start(en);
}

/* Who is nobody's, and whom no rule makes a user, gets a second trip, which a password ends. */
static int run_whose(struct store *store, void *data, struct err *e)
{
	struct web_oidc_trip *trip = data;
	struct trip t = { .provider = "" };
	struct identity_owner owner;

	if (identity_sign_in(&store->db, trip->row->issuer, trip->job.finish.subject, store_now(),
			     &owner, e) < 0)
		return err_code(e);
	trip->is_known = owner.person != 0;
	trip->is_new = !owner.person && trip->job.finish.matches.any && *trip->job.finish.name;
	if (trip->is_known || trip->is_new)
		return 0;
	snprintf(t.provider, sizeof(t.provider), "%s", trip->row->name);
	snprintf(t.issuer, sizeof(t.issuer), "%s", trip->row->issuer);
	snprintf(t.subject, sizeof(t.subject), "%s", trip->job.finish.subject);
	return trip_secret(trip->proof, e) < 0 ? err_code(e)
					       : trip_add(&store->db, trip->proof, trip->browser,
							  &trip->job.source, &t, store_now(), e);
}

static void whose(void *data, const struct err *e)
{
	struct web_oidc_trip *trip = data;

	if (e) {
		web_oidc_fail(trip, e);
	} else if (trip->is_known || trip->is_new) {
		enter(trip);
	} else {
		web_oidc_ask(trip->web, trip->r, trip->row->name, trip->proof, "", 200, NULL);
		web_oidc_trip_free(trip);
	}
}

void web_oidc_whose(struct web_oidc_trip *trip)
{
	struct err e;

	if (web_access_queue(trip->web, trip->r, &(struct store_queue_op){ run_whose, whose, trip },
			     false, &e) < 0)
		web_oidc_fail(trip, &e);
}
