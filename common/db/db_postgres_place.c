/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres_place.h"

#include "common/base/cleanup.h"
#include "common/base/hostname.h"
#include "common/base/log.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* What a place may say. Others change how much is checked (gssencmode, sslmode by another name), where the
 * rest comes from (service), or what a session does (options). */
static const char *const allowed[] = { "host",        "hostaddr",        "port",    "dbname",
				       "user",        "passfile",        "sslmode", "sslrootcert",
				       "sslcert",     "sslkey",          "sslcrl",  "sslcrldir",
				       "requirepeer", "application_name" };

/* What each connection says besides. */
static const char *const always[][2] = {
	{ "client_encoding", "UTF8" },
	{ "fallback_application_name", "cocos" },
	/* A standby takes no writes: of several hosts, the one that does. */
	{ "target_session_attrs", "read-write" },
	{ "gssencmode", "disable" },
	{ "keepalives_idle", "30" },
	{ "keepalives_interval", "10" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "20000" },
};

static bool is_allowed(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (strcmp(allowed[i], key) == 0)
			return true;
	return false;
}

static int check_environment(struct err *e)
{
	PQconninfoOption *defaults = PQconndefaults();
	int failed = 0;

	if (!defaults)
		return err_nomem(e);
	for (PQconninfoOption *o = defaults; o->keyword && !failed; o++)
		if (o->envvar && strcmp(o->keyword, "passfile") != 0 && getenv(o->envvar))
			failed = err_set(e, ERR_INVALID,
					 "%s is set in the environment, where nothing is said of a "
					 "database: remove it",
					 o->envvar);
	PQconninfoFree(defaults);
	return failed;
}

/* Each part between commas stays on this machine; "" is the default socket. */
static bool all_local(const char *hosts)
{
	char host[256];

	for (;; hosts++) {
		size_t len = strcspn(hosts, ",");

		if (len >= sizeof(host))
			return false;
		memcpy(host, hosts, len);
		host[len] = 0;
		if (len && host[0] != '/' && host[0] != '@' && !hostname_is_loopback(host))
			return false;
		hosts += len;
		if (!*hosts)
			return true;
	}
}

static const char *given(const PQconninfoOption *options, const char *key)
{
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->val;
	return NULL;
}

static int check_tls(const PQconninfoOption *options, bool *need, struct err *e)
{
	const char *host = given(options, "host"), *address = given(options, "hostaddr");
	const char *mode = given(options, "sslmode");

	*need = !(all_local(host ? host : "") && all_local(address ? address : ""));
	if (*need && mode && strcmp(mode, "verify-full") != 0)
		return err_set(e, ERR_INVALID,
			       "sslmode=%s: a server on another machine needs verify-full, and "
			       "sslrootcert for its authority",
			       log_quote(mode).text);
	return 0;
}

static void add(struct postgres_place *p, size_t *count, const char *key, const char *value)
{
	p->keys[*count] = key;
	p->values[(*count)++] = value;
}

static int take(struct postgres_place *p, const PQconninfoOption *options, struct err *e)
{
	const char *host = given(options, "host"), *name = given(options, "dbname");
	size_t count = 0;
	bool tls;

	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (!o->val)
			continue;
		if (strcmp(o->keyword, "password") == 0)
			return err_set(
				e, ERR_INVALID,
				"it holds a password: put that into a file of mode 0600 "
				"(host:port:database:user:password) and name it as passfile");
		if (!is_allowed(o->keyword))
			return err_set(e, ERR_INVALID, "'%s' may not stand in it", o->keyword);
		add(p, &count, o->keyword, o->val);
	}
	if (check_tls(options, &tls, e) < 0)
		return err_code(e);
	if (tls && !given(options, "sslmode"))
		add(p, &count, "sslmode", "verify-full");
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		add(p, &count, always[i][0], always[i][1]);
	add(p, &count, NULL, NULL);
	snprintf(p->where, sizeof(p->where), "PostgreSQL database %s at %s",
		 name ? log_quote(name).text : "of this user's name",
		 host ? log_quote(host).text : "the local socket");
	return 0;
}
_Static_assert(ARRAY_LEN(allowed) + ARRAY_LEN(always) + 2 <= POSTGRES_KEYS_MAX, "room for all");

int postgres_place_read(const char *place, struct postgres_place *out, struct err *e)
{
	struct postgres_place got = { .where = "" };
	char *why = NULL;

	if (check_environment(e) < 0)
		return err_code(e);
	got.parsed = PQconninfoParse(place, &why);
	PQfreemem(why); /* it may quote a password */
	if (!got.parsed)
		return err_set(e, ERR_INVALID,
			       "it is neither a URI (postgresql://user@host:port/database) nor a "
			       "list (host=... dbname=... user=...)");
	if (take(&got, got.parsed, e) < 0) {
		postgres_place_done(&got);
		return err_code(e);
	}
	*out = got;
	return 0;
}

void postgres_place_done(struct postgres_place *place)
{
	PQconninfoFree(place->parsed);
	place->parsed = NULL;
}
