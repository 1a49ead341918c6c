/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/account.h"

#include "computations/people/device.h"
#include "computations/people/entry.h"
#include "computations/people/login.h"

int account_password(struct db *db, int64_t person, const struct password *p, int64_t keep,
		     int64_t now, struct err *e)
{
	if (password_set(db, person, p, now, e) < 0 || login_end_others(db, person, keep, e) < 0)
		return err_code(e);
	if (device_forget(db, person, e) < 0)
		return err_code(e);
	return entry_forget(db, person, e);
}
