/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_authority.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/rpc/tls.h"
#include "computations/ca/ca_record.h"

#include <inttypes.h>
#include <string.h>

/* Without tokens a certificate of these authorities is all that an administrator shows, and an agent has one, too. What
 * stands above an authority that another one signed is not known here, and a client brings what lies between. */
static int check_admins(const struct config *c, const struct authority *a, struct err *e)
{
	CLEANUP(free) char *pem = NULL;
	bool is_among;

	if (!c->admin_client_ca_certs || c->admin_sign_in)
		return 0;
	if (authority_is_below(a))
		return err_set(
			e, ERR_PRECONDITION,
			"another authority signed the certificate of COMPUTATIONS_CA_CERT: where "
			"COMPUTATIONS_ADMIN_CLIENT_CA_CERTS names one above it, each agent would be an "
			"administrator; set COMPUTATIONS_ADMIN_SIGN_IN=true as well, or use an "
			"authority of its own");
	if (file_read_text(c->admin_client_ca_certs, RPC_TLS_PEM_MAX, &pem, e) < 0 ||
	    authority_is_among(a, pem, &is_among, e) < 0)
		return err_wrap(e, "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS");
	if (!is_among)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS names the authority of "
		       "COMPUTATIONS_CA_CERT: each agent would be an administrator; set "
		       "COMPUTATIONS_ADMIN_SIGN_IN=true as well, or use another authority");
}

/* What one authority is set as. */
struct place {
	const char *cert, *key, *words;
	int64_t now; /* 0: it may have ended */
};

static int open_one(const struct config *config, const struct place *place, bool has_key,
		    struct authority **authority, struct err *e)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	int failed = has_key ? authority_load(place->cert, place->key, place->now, &a, e)
			     : authority_read(place->cert, place->now, &a, e);

	if (failed)
		return err_wrap(e, "%s", place->words);
	if (check_admins(config, a, e) < 0)
		return err_code(e);
	if (config->ca_url && !(a->url = strdup(config->ca_url)))
		return err_nomem(e);
	*authority = TAKE_PTR(a);
	return 0;
}

/* Whoever trusts names goes by both, and each is known by its key. */
static int check_old(const struct authority *a, struct err *e)
{
	if (strcmp(a->name, a->old->name) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "COMPUTATIONS_CA_OLD_CERT: it is of %s, and the next one of %s: one "
			       "service has one trust domain",
			       a->old->name, a->name);
	if (strcmp(a->fingerprint, a->old->fingerprint) == 0)
		return err_set(e, ERR_PRECONDITION,
			       "COMPUTATIONS_CA_OLD_CERT has the key of COMPUTATIONS_CA_CERT: the "
			       "next authority has a key of its own");
	return 0;
}

static int open_it(const struct config *config, bool has_key, struct authority **authority,
		   struct err *e)
{
	const struct place now = { config->ca_cert, config->ca_key,
				   "COMPUTATIONS_CA_CERT, COMPUTATIONS_CA_KEY", store_now() };
	/* It ends while a service runs, which must not find that out when it is started again. */
	const struct place old = { config->ca_old_cert, config->ca_old_key,
				   "COMPUTATIONS_CA_OLD_CERT, COMPUTATIONS_CA_OLD_KEY", 0 };
	CLEANUP(authority_free) struct authority *a = NULL;

	if (config->ca_cert) {
		if (open_one(config, &now, has_key, &a, e) < 0)
			return err_code(e);
	}
	if (config->ca_old_cert &&
	    (open_one(config, &old, has_key, &a->old, e) < 0 || check_old(a, e) < 0))
		return err_code(e);
	if (has_key && a && a->old && a->old->ends <= store_now())
		log_warn("the authority of COMPUTATIONS_CA_OLD_CERT has ended: take _OLD_CERT and "
			 "_OLD_KEY away");
	*authority = TAKE_PTR(a);
	return 0;
}

int service_authority_open(const struct config *config, struct authority **authority, struct err *e)
{
	return open_it(config, true, authority, e);
}

int service_authority_read(const struct config *config, struct authority **authority, struct err *e)
{
	return open_it(config, false, authority, e);
}

int service_authority_look(const struct authority *a, struct store *store, struct err *e)
{
	int64_t all = 0, revoked = 0;
	int failed;

	if (!a)
		return 0;
	if (db_snapshot(&store->db, e) < 0)
		return err_code(e);
	failed = ca_strays(&store->db, a, store_now(), &all, &revoked, e);
	db_rollback(&store->db);
	if (failed)
		return failed;
	if (all)
		log_warn(
			"%" PRId64
			" certificates of an authority that is not set have not ended, %" PRId64
			" of them revoked: no list and no status answer says so, and who trusts that "
			"authority lets them in; set COMPUTATIONS_CA_OLD_CERT and _OLD_KEY to it, or "
			"have nobody trust it any more",
			all, revoked);
	return 0;
}

int service_authority_make(const struct config *config, const char *name, FILE *out, struct err *e)
{
	char end[TIMESTAMP_TEXT_MAX];
	const int64_t now = store_now();
	bool is_new;

	if (!config->ca_cert)
		return err_set(e, ERR_PRECONDITION,
			       "set COMPUTATIONS_CA_CERT and COMPUTATIONS_CA_KEY first: they name "
			       "the certificate's file, and where the key is made");
	if (authority_make(name, config->ca_cert, config->ca_key, now, &is_new, e) < 0)
		return err_code(e);
	timestamp_format(now / 1000 + (int64_t)AUTHORITY_DAYS * 86400, end);
	fprintf(out,
		"authority %s: certificate '%s', for whoever is to trust it, and %s key '%s', for "
		"this service alone; until %s\n",
		name, config->ca_cert, is_new ? "a new" : "the", config->ca_key, end);
	return 0;
}
