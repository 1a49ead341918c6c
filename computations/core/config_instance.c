/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/config_instance.h"

#include "common/access/access_table.h"
#include "common/base/log.h"
#include "common/db/db_postgres.h"
#include "common/relay/relay_address.h"
#include "computations/ca/ca_signature.h"

#include <string.h>

/* It is renewed after a third of it, and ends a tenth early: what is between is more than one wait. At the start both authorities'
 * devices are waited for, one behind the other. */
enum { LEASE_BY_DEVICE_MIN_MS = 4 * CA_SIGNER_WAIT_MS };

/* A device that hangs is waited for within a transaction, and until that has ended no lease is renewed. */
static int check_lease(const struct config *c, struct err *e)
{
	const char *const keys[] = { c->ca_key, c->ca_old_key };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i] && keys[i][0] != '/' && c->lease_ms < LEASE_BY_DEVICE_MIN_MS)
			return err_set(e, ERR_INVALID,
				       "COMPUTATIONS_LEASE is less than %d s, and the authority's "
				       "key is in a device, which may be waited for for %d s: the "
				       "lease would end meanwhile",
				       LEASE_BY_DEVICE_MIN_MS / 1000, CA_SIGNER_WAIT_MS / 1000);
	return 0;
}

int config_check_instance(const struct config *c, struct err *e)
{
	if (!c->instance)
		return !c->instance_address
			       ? 0
			       : err_set(e, ERR_INVALID,
					 "COMPUTATIONS_INSTANCE_ADDRESS does nothing without "
					 "COMPUTATIONS_INSTANCE");
	if (c->instance_address) {
		union relay_address ignored;
		socklen_t len;

		if (strlen(c->instance_address) >= RELAY_ADDRESS_MAX ||
		    relay_address_parse(c->instance_address, &ignored, &len, e) < 0)
			return err_wrap(e, "COMPUTATIONS_INSTANCE_ADDRESS");
	}
	if (!access_name_is_valid(c->instance))
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_INSTANCE: %s is no name: %d of a-z 0-9 - . at most, with a "
			"letter or digit at both ends",
			log_quote(c->instance).text, (int)ACCESS_NAME_MAX);
	if (!c->database || !db_postgres_is_place(c->database))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_INSTANCE needs a COMPUTATIONS_DATABASE on a server "
			       "(postgresql://...): a file is one service's");
	return check_lease(c, e);
}
