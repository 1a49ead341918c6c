/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_secrets.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <string.h>

/* Where the settings say, or would without one. */
static int present_place(const struct config *c, char **place, struct err *e)
{
	return text_format(place, e, c->secrets_key ? "%s" : "%s/" STORE_SECRETS_FILE,
			   c->secrets_key ? c->secrets_key : c->state_dir);
}

static int say(FILE *out, struct err *e)
{
	return fflush(out) == 0 ? 0 : err_errno(e, "standard output");
}

int service_secrets_make(const struct config *config, const char *place, FILE *out, struct err *e)
{
	CLEANUP(free) char *before = NULL;
	struct secret_key key;

	if (present_place(config, &before, e) < 0 || secret_key_make(place, &key, e) < 0)
		return err_wrap(e, "--make-secrets-key");
	fprintf(out,
		"key %s: new, at '%s'; set COMPUTATIONS_SECRETS_KEY to that, and, if the service has "
		"run, COMPUTATIONS_SECRETS_OLD_KEY to '%s' for one start\n",
		key.id, place, before);
	secret_key_wipe(&key);
	return say(out, e);
}

int service_secrets_copy(const struct config *config, const char *place, FILE *out, struct err *e)
{
	CLEANUP(free) char *from = NULL;
	struct secret_key key;
	int failed;

	if (present_place(config, &from, e) < 0 || secret_key_read(from, &key, e) < 0)
		return err_wrap(e, "--copy-secrets-key");
	failed = secret_key_write(place, &key, e);
	if (!failed)
		fprintf(out,
			"key %s: from '%s' to '%s' as well; set COMPUTATIONS_SECRETS_KEY to the one "
			"that the service is to have: what is sealed stays as it is\n",
			key.id, from, place);
	secret_key_wipe(&key);
	return failed ? err_wrap(e, "--copy-secrets-key") : say(out, e);
}

/* ---- while the service runs ---- */

static int hold_one(const char *place, struct secret_key **held, struct err *e)
{
	struct secret_key key;

	if (!place || !secret_place_is_tpm(place))
		return 0;
	if (secret_key_read(place, &key, e) < 0)
		return err_code(e);
	const int failed = secret_key_hold(&key, held, e);
	secret_key_wipe(&key);
	return failed;
}

int service_secrets_hold(struct config *c, struct err *e)
{
	if (hold_one(c->secrets_key, &c->secrets_held, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SECRETS_KEY");
	if (hold_one(c->secrets_old_key, &c->secrets_old_held, e) < 0) {
		service_secrets_let_go(c);
		return err_wrap(e, "COMPUTATIONS_SECRETS_OLD_KEY");
	}
	return 0;
}

void service_secrets_let_go(struct config *c)
{
	secret_key_free(TAKE_PTR(c->secrets_held));
	secret_key_free(TAKE_PTR(c->secrets_old_held));
}
