/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_form.h"

#include "common/db/db_driver.h"

int db_form(struct db *db, int64_t *form, struct err *e)
{
	return db->driver->form(db->handle, form, e);
}

int db_form_set(struct db *db, int form, struct err *e)
{
	return db->driver->set_form(db->handle, form, e);
}

/* 1: it is the newest already. */
static int look(struct db *db, const struct db_forms *forms, int64_t *form, struct err *e)
{
	if (db_form(db, form, e) < 0)
		return err_code(e);
	if (*form < 0)
		return err_set(e, ERR_DATA_LOSS, "has form %lld, which is none", (long long)*form);
	if (*form > forms->newest)
		return err_set(e, ERR_PRECONDITION,
			       "written by a newer %s (form %lld, this one knows %d): install that "
			       "version",
			       forms->program, (long long)*form, forms->newest);
	return *form == forms->newest;
}

static int make(struct db *db, const struct db_forms *forms, int64_t form, struct err *e)
{
	if (!form && db_script(db, forms->schema, e) < 0)
		return err_code(e);
	for (; form && form < forms->newest; form++)
		if (db_script(db, forms->upgrades[form], e) < 0)
			return err_wrap(e, "from form %lld", (long long)form);
	return db_form_set(db, forms->newest, e);
}

int db_forms_make(struct db *db, const struct db_forms *forms, struct err *e)
{
	int64_t form;

	if (look(db, forms, &form, e) < 0)
		return err_code(e);
	if (form)
		return err_set(e, ERR_PRECONDITION, "it has records already (form %lld)",
			       (long long)form);
	return make(db, forms, 0, e);
}

int db_forms_within(struct db *db, const struct db_forms *forms, struct err *e)
{
	int64_t form;
	int newest = look(db, forms, &form, e);

	if (newest)
		return newest < 0 ? newest : 0;
	return make(db, forms, form, e);
}

int db_forms_apply(struct db *db, const struct db_forms *forms, struct err *e)
{
	int64_t form;
	int newest = look(db, forms, &form, e);

	if (newest)
		return newest < 0 ? newest : 0;
	if (db_begin(db, e) < 0)
		return err_code(e);
	/* It looks again: whoever made it meanwhile is seen. */
	if (db_forms_within(db, forms, e) < 0) {
		db_rollback(db);
		return err_code(e);
	}
	return db_commit(db, e);
}
